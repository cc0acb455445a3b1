// The application: an HTTP server on HOST and PORT.
package main

import (
	_ "embed"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
)

//go:embed index.html
var page string

var index = template.Must(template.New("index").Parse(page))

func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func database() string {
	for variable, name := range map[string]string{
		"OPENSHIFT_MYSQL_DB_URL": "MySQL", "OPENSHIFT_POSTGRESQL_DB_URL": "PostgreSQL", "OPENSHIFT_REDIS_URL": "Redis",
	} {
		if os.Getenv(variable) != "" {
			return name + ", in " + variable
		}
	}
	return "none yet"
}

func handle(writer http.ResponseWriter, request *http.Request) {
	if request.URL.Path != "/" {
		http.NotFound(writer, request)
		return
	}
	writer.Header().Set("Content-Type", "text/html; charset=utf-8")
	name, gear := variable("OPENSHIFT_APP_NAME", "my application"), variable("OPENSHIFT_GEAR_UUID", "none")
	err := index.Execute(writer, map[string]string{
		"Name": name, "Gear": gear, "Address": request.Host, "Version": runtime.Version(), "Database": database(),
		"Repository": "ssh://" + gear + "@" + os.Getenv("OPENSHIFT_GEAR_DNS") + "/~/git/" + name + ".git/",
	})
	if err != nil {
		log.Print(err)
	}
}

func main() {
	http.HandleFunc("/", handle)
	log.Fatal(http.ListenAndServe(net.JoinHostPort(os.Getenv("HOST"), variable("PORT", "8080")), nil))
}
