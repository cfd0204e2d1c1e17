package soundstage;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jacoco.core.analysis.Analyzer;
import org.jacoco.core.analysis.CoverageBuilder;
import org.jacoco.core.analysis.IClassCoverage;
import org.jacoco.core.analysis.ICounter;
import org.jacoco.core.data.ExecutionDataStore;

/** Tells the executable and the executed lines of every source file, whether or not its classes were loaded. */
final class Coverage {
  private final Compilation compilation;
  private final Map<String, TreeSet<Integer>> executable = new TreeMap<>();
  private final Map<String, TreeSet<Integer>> executed = new TreeMap<>();

  Coverage(Compilation compilation) {
    this.compilation = compilation;
  }

  void tell(ExecutionDataStore probes, Records records) {
    for (CompiledClass compiled : compilation.classes().values()) {
      CoverageBuilder builder = new CoverageBuilder();
      try {
        new Analyzer(probes, builder).analyzeClass(compiled.bytes(), compiled.name());
      } catch (IOException unreadable) {
        continue;
      }
      for (IClassCoverage found : builder.getClasses()) {
        add(compiled.source(), found);
      }
    }
    executable.forEach(
        (path, lines) ->
            records.record(
                "coverage",
                Map.of("path", path, "executable", lines, "executed", executed.getOrDefault(path, new TreeSet<>()))));
  }

  private void add(String path, IClassCoverage found) {
    for (int line = found.getFirstLine(); line > 0 && line <= found.getLastLine(); line++) {
      int status = found.getLine(line).getStatus();
      if (status == ICounter.EMPTY) {
        continue;
      }
      executable.computeIfAbsent(path, key -> new TreeSet<>()).add(line);
      if (status != ICounter.NOT_COVERED) {
        executed.computeIfAbsent(path, key -> new TreeSet<>()).add(line);
      }
    }
  }
}
