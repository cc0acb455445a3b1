<%@ page contentType="text/html; charset=utf-8" pageEncoding="utf-8" %><%!
  static String variable(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null ? otherwise : value;
  }
  static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
  }
%><%
  String name = escape(variable("OPENSHIFT_APP_NAME", "my application"));
  String gear = escape(variable("OPENSHIFT_GEAR_UUID", "none"));
  String database = System.getenv("OPENSHIFT_MYSQL_DB_HOST");
%>
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Welcome to <%= name %></title>
<style>
  :root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6b7c; --page: #f4f6f9; --card: #fff; --line: #dde3ea; --mark: #0b6bcb; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #9fb0c1; --page: #11161c; --card: #1a212a; --line: #2b3541; --mark: #6db3ff; } }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--page); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; padding: 2rem 1rem; }
  main { width: min(44rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 2.5rem; }
  h1 { margin: 0 0 .25rem; font-size: 1.9rem; line-height: 1.25; }
  h2 { margin: 2rem 0 .5rem; font-size: 1.05rem; }
  p { margin: .25rem 0 1rem; color: var(--soft); }
  pre { margin: 0; padding: 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--page); font: 13.5px/1.7 ui-monospace, monospace; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.5rem; margin: 0; }
  dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
  .dot { color: #1f9d55; margin-right: .4rem; }
</style>
</head>
<body>
<main>
  <h1><span class="dot" aria-hidden="true">●</span><%= name %> is running</h1>
  <p>This page comes from <code>webapps/ROOT/index.jsp</code> in your repository. Change it, push, and it is live.</p>

  <h2>Change it</h2>
<pre>git clone ssh://<%= gear %>@<%= escape(variable("OPENSHIFT_GEAR_DNS", "localhost")) %>/~/git/<%= name %>.git/
cd <%= name %>
$EDITOR webapps/ROOT/index.jsp
git commit -am "My first change"
git push</pre>

  <h2>Where you are</h2>
  <dl>
    <dt>Address</dt><dd><%= escape(request.getHeader("Host")) %></dd>
    <dt>Java</dt><dd><%= System.getProperty("java.version") %></dd>
    <dt>Database</dt><dd><%= database == null ? "none yet" : escape("MySQL at " + database + ":" + System.getenv("OPENSHIFT_MYSQL_DB_PORT")) %></dd>
    <dt>Gear</dt><dd><%= gear %></dd>
  </dl>
</main>
</body>
</html>
