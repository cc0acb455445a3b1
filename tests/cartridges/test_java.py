"""The java cartridge in a hand-made gear: real Tomcat."""

import unittest
import zipfile

from gear import BASE
from web import Web

VERSIONS = [version for version in ("21", "17") if list(BASE.glob(f"usr/lib/jvm/java-{version}-openjdk-*/bin/java"))
            and (BASE / "usr/share/tomcat10/bin/bootstrap.jar").exists()]
PAGE = "webapps/ROOT/index.jsp"
LISTENER = ('<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"><listener>'
            "<listener-class>no.such.Listener</listener-class></listener></web-app>")

# Debian's packages of Maven have no versions to choose from.
WAR_PLUGIN = next((path.name for path in BASE.glob("usr/share/maven-repo/org/apache/maven/plugins/maven-war-plugin/*")), None)
POM = f"""<project><modelVersion>4.0.0</modelVersion>
<groupId>shop</groupId><artifactId>shop</artifactId><version>1.0</version><packaging>war</packaging>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target>
<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<build><plugins><plugin><artifactId>maven-war-plugin</artifactId><version>{WAR_PLUGIN}</version>
<configuration><failOnMissingWebXml>false</failOnMissingWebXml></configuration></plugin></plugins></build></project>"""
DEBIAN = ("<settings><mirrors><mirror><id>debian</id><mirrorOf>*</mirrorOf><url>file:///usr/share/maven-repo</url></mirror></mirrors>"
          "</settings>")


class Java(Web, unittest.TestCase):
    cart, version, title = "java", VERSIONS[0] if VERSIONS else None, "Java"
    ok = {"webapps/ROOT/index.html": "ok"}
    patience = "120"
    environment = {PAGE: "<% for (String name : new String[] {\"LOWER\", \"OPENSHIFT_APP_NAME\"}) "
                         "out.print(name + '=' + System.getenv(name) + '\\n'); %>"}
    broken = {
        "listener": ({**ok, "webapps/ROOT/WEB-INF/web.xml": LISTENER}, "(?s)an application cannot be loaded.*no.such.Listener"),
        "archive": ({"webapps/ROOT.war": "no archive"}, "(?s)an application cannot be loaded.*SEVERE"),
        "web.xml": ({**ok, "webapps/ROOT/WEB-INF/web.xml": "<web-app><"}, "(?s)an application cannot be loaded"),
        "nothing": ({"README": "x"}, "nothing to run: the repository needs webapps/ROOT.war"),
        "maven": ({"pom.xml": "<project/>"}, "Commit the war as webapps/ROOT.war"),
    }

    def setUp(self):
        super().setUp()
        self.set_variable("JAVA_OPTS", "-XX:TieredStopAtLevel=1")  # most of these servers live for a second

    def archive(self, name, page):
        path = self.repo / "webapps" / name
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("index.jsp", page)
            file.writestr("style.css", "p {}")

    def test_archives(self):
        self.archive("shop-1.0.war", "<%= 6 * 7 %>")
        self.push({})
        self.assertEqual(self.get(), "42")
        self.assertRegex(self.get("/style.css", "-i"), "(?i)content-type: text/css")
        self.assertEqual(self.code("/WEB-INF/web.xml"), "404")
        self.archive("ROOT.war", "root")
        self.push({})
        self.assertEqual((self.get(), self.get("/shop-1.0/")), ("root", "42"))

    def test_sources(self):
        self.write({"src/main/java/shop/Shop.java": """package shop;
import jakarta.servlet.http.*;
@jakarta.servlet.annotation.WebServlet("/shop")
public class Shop extends HttpServlet {
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws java.io.IOException {
        response.getWriter().print(new String(getClass().getResourceAsStream("/greeting").readAllBytes()));
    }
}
""", "src/main/resources/greeting": "hello", "src/main/webapp/index.html": "ok"})
        self.push({})
        self.assertEqual((self.get("/shop"), self.get()), ("hello", "ok"))
        self.assertEqual(self.code("/WEB-INF/classes/greeting"), "404")
        output = self.push_fails({"src/main/java/shop/Shop.java": "package shop; class Shop { int x = nothing; }"})
        self.assertRegex(output, "(?s)Shop.java.*nothing cannot be resolved.*CLIENT_ERROR: The sources could not be compiled")

    def test_maven(self):
        """`mvn package` with Debian's own repository in the place of Maven's."""
        self.set_variable("MAVEN_ARGS", "-gs debian.xml")
        output = self.push({"pom.xml": POM, "debian.xml": DEBIAN, "src/main/java/shop/Shop.java": "package shop; public class Shop { public static int answer() { return 6 * 7; } }",
                            "src/main/webapp/index.jsp": "<%= shop.Shop.answer() %>"})
        self.assertIn("Building with Maven", output)
        self.assertEqual(self.get(), "42")
        output = self.push_fails({"src/main/java/shop/Shop.java": "package shop; public class Shop { int x = nothing; }"})
        self.assertRegex(output, "(?s)Shop.java.*cannot find symbol.*Maven could not build the war")

    def test_https_and_client_address(self):
        self.push({PAGE: "<%= request.getScheme() + ' ' + request.isSecure() + ' ' + request.getRemoteAddr() %>"})
        self.assertEqual(self.get("/?marked", "-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-For: 192.0.2.7"), "https true 192.0.2.7")
        self.wait_for_log('"GET /?marked')
        self.wait_for_log("192.0.2.7 ")

    def test_memory(self):
        self.push({PAGE: "<%= Runtime.getRuntime().maxMemory() >> 20 %>"})
        self.assertLess(abs(int(self.get()) - 256), 20)

    def test_markers(self):
        output = self.push({**self.ok, ".openshift/markers/java7": "", ".openshift/markers/enable_jpda": "", ".openshift/markers/java-8": ""})
        self.assertIn(f"The marker 'java7' is not needed: the application runs on Java {self.version}, the one of this cartridge", output)
        self.assertIn("The marker 'java-8' means nothing here", output)
        self.assertIn(f"Debuggers reach Java at {self.gear.address(1)}:8787", output)
        hand = "exec 3<>/dev/tcp/$OPENSHIFT_JAVA_IP/$OPENSHIFT_JAVA_JPDA_PORT; printf JDWP-Handshake >&3; head -c 14 <&3"
        self.assertEqual(self.gear.shell(hand, cart="java"), "JDWP-Handshake")
        self.assertEqual(self.get(), "ok")

    def test_marker_skip_maven_build(self):
        self.write({"pom.xml": "<project/>", ".openshift/markers/skip_maven_build": ""})
        self.gear.check_out(self.repo)
        output = self.control("build")
        self.assertIn("Maven is not run: the marker skip_maven_build is there", output)
        self.assertNotIn("Building with Maven", output)

    def test_thread_dump(self):
        self.push(self.ok)
        self.assertIn("app-root/logs/java.log", self.control("threaddump"))
        self.wait_for_log("Full thread dump")
        self.assertEqual(self.get(), "ok")


if __name__ == "__main__":
    unittest.main()
