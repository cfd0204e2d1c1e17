package soundstage;

/** A class of the workspace: its binary name, the relative path of its source file, and its bytes. */
record CompiledClass(String name, String source, byte[] bytes) {}
