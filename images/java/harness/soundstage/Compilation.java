package soundstage;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;

/** The workspace's classes, compiled in memory. A file that cannot be compiled is told, and left out. */
final class Compilation {
  private static final int ROUNDS = 20;
  private static final int MESSAGE_CHARACTERS = 2000;

  private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
  private final Workspace workspace;
  private Map<String, CompiledClass> classes = Map.of();

  Compilation(Workspace workspace) {
    this.workspace = workspace;
  }

  Map<String, CompiledClass> classes() {
    return classes;
  }

  List<String> sources() {
    return workspace.sources();
  }

  /** Compiles, again and again without the files that are broken; returns what is wrong with those. */
  List<Problem> compile() {
    Map<String, List<Problem>> problems = new LinkedHashMap<>();
    Set<String> left = new LinkedHashSet<>(workspace.sources());
    for (int round = 0; round < ROUNDS && !left.isEmpty(); round++) {
      List<Problem> found = once(left, List.of("-proc:none", "-Xlint:none", "-nowarn"), false);
      if (found.isEmpty()) {
        break;
      }
      for (Problem problem : found) {
        problems.computeIfAbsent(problem.path(), path -> new ArrayList<>()).add(problem);
      }
      if (!left.removeAll(problems.keySet())) {
        break;
      }
    }
    return problems.values().stream().flatMap(List::stream).toList();
  }

  /** What the compiler says of the whole workspace; with {@code lint}, its warnings as well. */
  List<Problem> check(boolean lint) {
    String level = lint ? "-Xlint:all,-processing,-path,-serial" : "-Xlint:none";
    return once(workspace.sources(), List.of("-proc:none", level), lint);
  }

  private List<Problem> once(Iterable<String> paths, List<String> options, boolean warnings) {
    List<String> all = new ArrayList<>(options);
    all.addAll(List.of("-g", "-encoding", "UTF-8", "-parameters", "-Xmaxerrs", "500"));
    all.addAll(List.of("-implicit:none", "-sourcepath", "", "-classpath", classPath()));
    DiagnosticCollector<JavaFileObject> told = new DiagnosticCollector<>();
    var standard = compiler.getStandardFileManager(told, Locale.ENGLISH, StandardCharsets.UTF_8);
    List<Path> files = new ArrayList<>();
    paths.forEach(path -> files.add(Workspace.absolute(path)));
    if (files.isEmpty()) {
      return List.of();
    }
    MemoryFiles memory = new MemoryFiles(standard);
    var units = standard.getJavaFileObjectsFromPaths(files);
    boolean good = compiler.getTask(null, memory, told, all, null, units).call();
    if (good) {
      classes = memory.classes();
    }
    return told.getDiagnostics().stream()
        .filter(one -> warnings && one.getSource() != null || one.getKind() == Diagnostic.Kind.ERROR)
        .map(Compilation::problem)
        .toList();
  }

  private static String classPath() {
    return Stream.concat(
            Stream.of(System.getProperty("java.class.path")),
            Workspace.dependencies().stream().map(Path::toString))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static Problem problem(Diagnostic<? extends JavaFileObject> one) {
    JavaFileObject source = one.getSource();
    String path = source == null ? "" : Workspace.relative(Path.of(source.toUri()));
    String code = String.valueOf(one.getCode());
    boolean absent = code.contains("cant.resolve") || code.contains("doesnt.exist") || code.contains("cant.apply");
    String message = one.getMessage(Locale.ENGLISH);
    String cut = message.substring(0, Math.min(message.length(), MESSAGE_CHARACTERS));
    return new Problem(path, Math.max(1, one.getLineNumber()), cut, absent ? "import" : "syntax");
  }
}
