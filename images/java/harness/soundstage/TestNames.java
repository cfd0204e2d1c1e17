package soundstage;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.UniqueId;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;

/**
 * The names of tests: {@code method}, {@code Nested.method} in a class inside of the file's own, and
 * {@code method[2]} for an invocation of it.
 */
final class TestNames {
  private final Map<String, CompiledClass> classes;

  TestNames(Map<String, CompiledClass> classes) {
    this.classes = classes;
  }

  /** The name, or null for what is neither a test nor a class of the workspace. */
  TestName of(Optional<TestSource> source, UniqueId id, String legacy) {
    if (source.isEmpty()) {
      return null;
    }
    if (source.get() instanceof MethodSource method) {
      String test = prefix(method.getClassName()) + method.getMethodName() + invocation(id);
      return named(method.getClassName(), test);
    }
    if (source.get() instanceof ClassSource found && legacy != null) {
      String within = prefix(found.getClassName());
      return named(found.getClassName(), within.isEmpty() ? legacy : within.substring(0, within.length() - 1));
    }
    return null;
  }

  private TestName named(String className, String test) {
    CompiledClass compiled = classes.get(className);
    return compiled == null ? null : new TestName(compiled.source(), test);
  }

  private String prefix(String className) {
    CompiledClass compiled = classes.get(className);
    if (compiled == null) {
      return "";
    }
    String simple = className.substring(className.lastIndexOf('.') + 1);
    String file = compiled.source().substring(compiled.source().lastIndexOf('/') + 1).replace(".java", "");
    String within = simple.startsWith(file + "$") ? simple.substring(file.length() + 1) : simple;
    return within.equals(file) ? "" : within.replace('$', '.') + ".";
  }

  private static String invocation(UniqueId id) {
    return id.getSegments().stream()
        .filter(one -> one.getType().endsWith("-invocation") || one.getType().startsWith("dynamic-"))
        .map(one -> "[" + one.getValue().replace("#", "") + "]")
        .collect(Collectors.joining());
  }
}
