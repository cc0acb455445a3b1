import jakarta.servlet.ServletException;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** GET shows the poll, POST with `answer` votes. */
@WebServlet("")
public final class PollServlet extends HttpServlet {
    private static final String QUESTION = "What do you drink?";
    private static final List<String> ANSWERS = List.of("Coffee", "Tea", "Milk & honey", "Water");

    private Votes votes;

    @Override
    public void init() throws ServletException {
        String directory = System.getenv().getOrDefault("OPENSHIFT_DATA_DIR", System.getProperty("java.io.tmpdir"));
        try {
            votes = new Votes(Path.of(directory, "votes.properties"));
        } catch (IOException | RuntimeException error) {
            throw new ServletException("the votes cannot be read", error);
        }
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        show(response, "");
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        request.setCharacterEncoding("UTF-8");
        String answer = request.getParameter("answer");
        if (answer == null || !ANSWERS.contains(answer)) {
            response.setStatus(HttpServletResponse.SC_BAD_REQUEST);
            show(response, "Please choose one of the answers.");
            return;
        }
        votes.add(answer);
        response.setStatus(HttpServletResponse.SC_SEE_OTHER);
        response.setHeader("Location", "./");
    }

    private void show(HttpServletResponse response, String problem) throws IOException {
        long all = ANSWERS.stream().mapToLong(votes::of).sum();
        var rows = new StringBuilder();
        for (String answer : ANSWERS) {
            long count = votes.of(answer);
            rows.append("""
                    <li><button name="answer" value="%1$s">%1$s</button>
                    <meter max="%2$d" value="%3$d">%3$d</meter> <b>%3$d</b></li>
                    """.formatted(escape(answer), Math.max(all, 1), count));
        }
        response.setContentType("text/html; charset=utf-8");
        response.getWriter().print("""
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>Poll</title>
                <link rel="stylesheet" href="style.css">
                </head>
                <body>
                <main>
                <h1>%s</h1>
                <p class="soft">%s</p>
                <p class="problem" role="alert">%s</p>
                <form method="post" action="./"><ul>
                %s</ul></form>
                </main>
                <footer>A servlet on Gearbox. Edit <code>src/main/java/PollServlet.java</code> and push.</footer>
                </body>
                </html>
                """.formatted(escape(QUESTION), all == 0 ? "Nobody has voted yet." : all == 1 ? "1 vote so far." : all + " votes so far.",
                problem, rows));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
