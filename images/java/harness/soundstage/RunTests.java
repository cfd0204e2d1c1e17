package soundstage;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Compiles the workspace in memory, runs its JUnit tests under JaCoCo in this one process, and reports through the
 * relay.
 *
 * <p>Tamper-evident: ending the process ({@code System.exit}, {@code Runtime.halt}), records of one's own on any
 * descriptor, results told twice, assertions stubbed by a class of the same name (classes of JUnit come from our own
 * class path first). Not: code that reaches into this class loader by reflection and takes the token out of {@link
 * Records}, or rewrites JUnit's classes in memory.
 *
 * <p>Arguments: {@code --control=FILE}, then paths and test ids {@code path::method}; or {@code --compile}, {@code
 * --lint}: only say what is wrong with the sources.
 */
public final class RunTests {
  private RunTests() {}

  public static void main(String[] arguments) throws Exception {
    List<String> wanted = new ArrayList<>(List.of(arguments));
    boolean lint = wanted.remove("--lint");
    if (wanted.remove("--compile") || lint) {
      Runtime.getRuntime().halt(check(lint));
    }
    String control = "";
    if (!wanted.isEmpty() && wanted.get(0).startsWith("--control=")) {
      control = wanted.remove(0).substring("--control=".length());
    }
    Records records = Records.open(System.in);
    PrintStream out = System.out;
    PrintStream err = System.err;
    int status = run(records, new Selection(wanted, control));
    out.flush();
    err.flush();
    records.finish(status);
  }

  private static int check(boolean lint) {
    Compilation compilation = new Compilation(new Workspace());
    List<Problem> problems = compilation.check(lint);
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (Problem problem : problems) {
      out.println(problem.path() + ":" + problem.line() + ": " + problem.message());
    }
    out.flush();
    return problems.isEmpty() ? 0 : 1;
  }

  private static int run(Records records, Selection selection) throws Exception {
    Workspace workspace = new Workspace();
    Compilation compilation = new Compilation(workspace);
    List<Problem> problems = compilation.compile();
    for (Problem problem : problems) {
      records.error(problem);
    }
    CandidateLoader loader = new CandidateLoader(workspace, compilation.classes());
    Thread.currentThread().setContextClassLoader(loader);
    int bad = new TestRun(records, compilation, loader).execute(selection);
    new Coverage(compilation).tell(loader.probes(), records);
    return problems.isEmpty() && bad == 0 ? 0 : 1;
  }
}
