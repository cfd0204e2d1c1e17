package soundstage;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.security.ProtectionDomain;
import java.util.Map;
import org.jacoco.core.data.ExecutionDataStore;
import org.jacoco.core.instr.Instrumenter;

/** Loads the workspace's classes with JaCoCo's probes in them. */
final class CandidateLoader extends URLClassLoader {
  private final Map<String, CompiledClass> classes;
  private final Instrumenter instrumenter = new Instrumenter(new ProbeAccess());

  CandidateLoader(Workspace workspace, Map<String, CompiledClass> classes) {
    super("candidate", workspace.urls(), CandidateLoader.class.getClassLoader());
    this.classes = classes;
  }

  ExecutionDataStore probes() {
    return Probes.collected();
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    CompiledClass compiled = classes.get(name);
    if (compiled == null) {
      return super.findClass(name);
    }
    byte[] bytes = instrumented(compiled);
    return defineClass(name, bytes, 0, bytes.length, (ProtectionDomain) null);
  }

  private byte[] instrumented(CompiledClass compiled) {
    try {
      return instrumenter.instrument(compiled.bytes(), compiled.name());
    } catch (IOException tooMuchForIt) {
      return compiled.bytes();
    }
  }

  @Override
  public InputStream getResourceAsStream(String name) {
    CompiledClass compiled =
        name.endsWith(".class") ? classes.get(name.substring(0, name.length() - 6).replace('/', '.')) : null;
    return compiled == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(compiled.bytes());
  }

  @Override
  public URL getResource(String name) {
    URL own = findResource(name);
    return own == null ? super.getResource(name) : own;
  }
}
