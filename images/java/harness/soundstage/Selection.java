package soundstage;

import java.util.List;

/** Which tests are wanted: paths, folders and ids {@code path::test}; all when there are none. */
record Selection(List<String> wanted, String control) {

  boolean wantsFile(String path) {
    return wanted.isEmpty()
        || path.equals(control)
        || wanted.stream().anyMatch(one -> within(path, fileOf(one)));
  }

  boolean wantsTest(String path, String name) {
    return wanted.isEmpty()
        || path.equals(control)
        || wanted.stream().anyMatch(one -> within(path, fileOf(one)) && names(one, name));
  }

  /** Whether a wanted id stands for nothing among the files that there are. */
  List<String> unknown(List<String> paths) {
    return wanted.stream()
        .filter(one -> paths.stream().noneMatch(path -> within(path, fileOf(one))))
        .toList();
  }

  private static boolean within(String path, String wanted) {
    return wanted.equals(".") || path.equals(wanted) || path.startsWith(wanted + "/");
  }

  private static boolean names(String wanted, String name) {
    int at = wanted.indexOf("::");
    if (at < 0) {
      return true;
    }
    String test = wanted.substring(at + 2);
    // An invocation is known only when its method runs, so all of them do.
    return name.equals(test) || test.startsWith(name + "[") || name.startsWith(test + ".");
  }

  private static String fileOf(String wanted) {
    String path = wanted.split("::", 2)[0];
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }
}
