package soundstage;

import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Writes records for the relay: lines of JSON, each authenticated by the key that the relay gave. */
final class Records {
  private final FileOutputStream channel;
  private final Authenticator authenticator;
  private int sent;

  private Records(FileOutputStream channel, Authenticator authenticator) {
    this.channel = channel;
    this.authenticator = authenticator;
  }

  /** The channel that the relay names on standard input. */
  static Records open(InputStream input) throws IOException {
    BufferedReader told = new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8));
    String path = told.readLine();
    byte[] key = told.readLine().getBytes(StandardCharsets.US_ASCII);
    return new Records(new FileOutputStream(path), new Authenticator(key));
  }

  void record(String kind, Map<String, Object> fields) {
    StringBuilder json = new StringBuilder("{\"kind\":");
    string(json, kind);
    fields.forEach(
        (name, value) -> {
          json.append(',');
          string(json, name);
          json.append(':');
          if (value instanceof String text) {
            string(json, text);
          } else {
            json.append(value);
          }
        });
    send(" " + json.append('}'));
  }

  void error(Problem problem) {
    record(
        "error",
        Map.of(
            "id", problem.path(),
            "path", problem.path(),
            "line", problem.line(),
            "message", problem.message(),
            "kind_of_failure", problem.kind()));
  }

  /** Says how the run ends, and ends it: nothing that the workspace registered for the end has a say in the result. */
  void finish(int status) {
    send("=" + status);
    Runtime.getRuntime().halt(status);
  }

  private synchronized void send(String said) {
    String mac = authenticator.mac((sent++ + said).getBytes(StandardCharsets.UTF_8));
    try {
      channel.write((mac + said + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static void string(StringBuilder json, String text) {
    json.append('"');
    for (int at = 0; at < text.length(); at++) {
      char character = text.charAt(at);
      if (character == '"' || character == '\\') {
        json.append('\\').append(character);
      } else if (character < ' ' || Character.isSurrogate(character) || character == '\u2028') {
        json.append(String.format("\\u%04x", (int) character));
      } else {
        json.append(character);
      }
    }
    json.append('"');
  }
}
