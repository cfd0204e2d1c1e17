package soundstage;

import java.io.IOException;
import java.net.URL;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The tree that is worked on: Maven's layout, or any other; resources lie where Maven has them or beside the code. */
final class Workspace {
  private static final Path ROOT = Path.of("").toAbsolutePath();
  private static final Path DEPENDENCIES = Path.of("/opt/deps/java");
  private static final Set<String> NEVER = Set.of("target", "node_modules");
  private static final Set<String> NO_CLASSES = Set.of("package-info.java", "module-info.java");

  private final List<String> sources = new ArrayList<>();
  private final List<Path> resources = new ArrayList<>();

  Workspace() {
    try {
      Files.walkFileTree(ROOT, new Walk());
    } catch (IOException error) {
      throw new java.io.UncheckedIOException(error);
    }
    sources.sort(null);
    resources.add(ROOT);
  }

  /** Paths of source files, relative to the workspace. */
  List<String> sources() {
    return sources;
  }

  static Path absolute(String path) {
    return ROOT.resolve(path);
  }

  static String relative(Path path) {
    return ROOT.relativize(path).toString();
  }

  static List<Path> dependencies() {
    try (Stream<Path> found = Files.list(DEPENDENCIES)) {
      return found.filter(path -> path.toString().endsWith(".jar")).sorted().toList();
    } catch (IOException error) {
      return List.of();
    }
  }

  /** Where a class of the workspace finds what is no code of the workspace. */
  URL[] urls() {
    return Stream.concat(resources.stream(), dependencies().stream())
        .map(
            path -> {
              try {
                return path.toUri().toURL();
              } catch (IOException error) {
                throw new java.io.UncheckedIOException(error);
              }
            })
        .toArray(URL[]::new);
  }

  private final class Walk extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
      String name = folder.getFileName().toString();
      if (!folder.equals(ROOT) && (name.startsWith(".") || NEVER.contains(name))) {
        return FileVisitResult.SKIP_SUBTREE;
      }
      if (folder.endsWith("src/main/resources") || folder.endsWith("src/test/resources")) {
        resources.add(folder);
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      String name = file.getFileName().toString();
      if (attributes.isRegularFile() && name.endsWith(".java") && !NO_CLASSES.contains(name)) {
        sources.add(relative(file));
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException error) {
      return FileVisitResult.CONTINUE;
    }
  }
}
