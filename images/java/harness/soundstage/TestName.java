package soundstage;

/** Where a test stands: the path of its file, and its name there; with the name of its class where that is not the
 * file's own. */
record TestName(String path, String test) {
  String id() {
    return path + "::" + test;
  }
}
