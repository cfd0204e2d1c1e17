package soundstage;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;

/** Keeps what the compiler writes in memory, with the source that each class comes from. */
final class MemoryFiles extends ForwardingJavaFileManager<JavaFileManager> {
  private final List<Output> outputs = new ArrayList<>();

  MemoryFiles(JavaFileManager standard) {
    super(standard);
  }

  Map<String, CompiledClass> classes() {
    Map<String, CompiledClass> found = new LinkedHashMap<>();
    for (Output output : outputs) {
      found.put(output.name, new CompiledClass(output.name, output.source, output.bytes.toByteArray()));
    }
    return found;
  }

  @Override
  public JavaFileObject getJavaFileForOutput(
      Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
    Output output = new Output(className, Workspace.relative(Path.of(sibling.toUri())));
    outputs.add(output);
    return output;
  }

  private static final class Output extends SimpleJavaFileObject {
    private final String name;
    private final String source;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Output(String name, String source) {
      super(URI.create("memory:///class"), Kind.CLASS);
      this.name = name;
      this.source = source;
    }

    @Override
    public OutputStream openOutputStream() {
      return bytes;
    }
  }
}
