package soundstage;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder.request;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.discovery.ClassSelector;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherFactory;

/** Finds the tests among the compiled classes and runs them. */
final class TestRun {
  private final Records records;
  private final Compilation compilation;
  private final CandidateLoader loader;
  private final TestNames names;

  TestRun(Records records, Compilation compilation, CandidateLoader loader) {
    this.records = records;
    this.compilation = compilation;
    this.loader = loader;
    this.names = new TestNames(compilation.classes());
  }

  /** Runs what is selected; returns how much of it failed. */
  int execute(Selection selection) {
    List<String> unknown = selection.unknown(compilation.sources());
    for (String id : unknown) {
      records.record(
          "error", Map.of("id", id, "message", "there is no test file " + id, "kind_of_failure", "no_tests"));
    }
    LauncherDiscoveryRequest request =
        request()
            .selectors(classes(selection))
            .filters((PostDiscoveryFilter) test -> wanted(test, selection))
            .build();
    Launcher launcher = LauncherFactory.create();
    TestPlan plan = launcher.discover(request);
    Listener listener = new Listener(records, names, compilation.classes());
    launcher.execute(plan, listener);
    return listener.bad() + unknown.size();
  }

  private List<ClassSelector> classes(Selection selection) {
    Set<String> outer = new TreeSet<>();
    for (CompiledClass compiled : compilation.classes().values()) {
      if (selection.wantsFile(compiled.source())) {
        outer.add(compiled.name());
      }
    }
    return outer.stream().map(this::load).filter(one -> one != null).map(one -> selectClass(one)).toList();
  }

  private Class<?> load(String name) {
    try {
      Class<?> found = Class.forName(name, false, loader);
      return found.isAnonymousClass() || found.isLocalClass() ? null : found;
    } catch (ClassNotFoundException | LinkageError error) {
      records.error(
          new Problem(compilation.classes().get(name).source(), 1, String.valueOf(error), "import"));
      return null;
    }
  }

  private FilterResult wanted(TestDescriptor test, Selection selection) {
    TestName name = names.of(test.getSource(), test.getUniqueId(), null);
    boolean chosen = name == null || selection.wantsTest(name.path(), name.test());
    return FilterResult.includedIf(chosen);
  }
}
