import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Properties;

/** How often each answer was chosen, in one file. Threads may use it at the same time. */
final class Votes {
    private final Path file;
    private final Properties counts = new Properties();

    /** The directory of the file must exist. */
    Votes(Path file) throws IOException {
        this.file = file;
        try (var in = Files.newBufferedReader(file)) {
            counts.load(in);
        } catch (NoSuchFileException none) {
            // Nobody has voted yet.
        }
    }

    synchronized long of(String answer) {
        return Long.parseLong(counts.getProperty(answer, "0"));
    }

    synchronized void add(String answer) throws IOException {
        counts.setProperty(answer, Long.toString(of(answer) + 1));
        // There is the old file or the new one, whatever happens in between.
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try (var out = Files.newBufferedWriter(next)) {
            counts.store(out, null);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
