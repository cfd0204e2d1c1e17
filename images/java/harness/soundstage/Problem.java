package soundstage;

/** Something that is wrong with a source file; {@code line} counts from 1, {@code kind} is syntax or import. */
record Problem(String path, long line, String message, String kind) {}
