package soundstage;

import java.util.LinkedHashMap;
import java.util.Map;

/** Says of an exception what kind it is and which line of the workspace it comes from. */
final class Failures {
  private static final int MESSAGE_CHARACTERS = 2000;
  private final Map<String, CompiledClass> classes;

  Failures(Map<String, CompiledClass> classes) {
    this.classes = classes;
  }

  Map<String, Object> of(Throwable thrown) {
    Throwable cause = thrown;
    while (cause instanceof ExceptionInInitializerError && cause.getCause() != null) {
      cause = cause.getCause();
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("message", message(cause));
    fields.put("kind_of_failure", kind(cause));
    for (StackTraceElement frame : cause.getStackTrace()) {
      CompiledClass compiled = classes.get(frame.getClassName());
      if (compiled != null && frame.getLineNumber() > 0) {
        fields.put("path", compiled.source());
        fields.put("line", frame.getLineNumber());
        break;
      }
    }
    return fields;
  }

  private static String kind(Throwable cause) {
    if (cause instanceof AssertionError) {
      return "assertion";
    }
    return cause instanceof NoClassDefFoundError || cause instanceof ClassNotFoundException ? "import" : "exception";
  }

  // The candidate's own exceptions may fail to say what they are.
  private static String message(Throwable cause) {
    String text;
    try {
      text = String.valueOf(cause);
    } catch (Throwable broken) {
      text = cause.getClass().getName();
    }
    return text.substring(0, Math.min(text.length(), MESSAGE_CHARACTERS));
  }
}
