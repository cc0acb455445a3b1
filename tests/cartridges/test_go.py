"""The go cartridge in a hand-made gear: real Go."""

import unittest
import zipfile

from gear import BASE
from web import Web

VERSIONS = [version for version in ("1.24", "1.19") if (BASE / f"usr/lib/go-{version}/bin/go").exists()]
# As small as a server can be: the linker has less to do than with net/http.
SERVER = """package main

import ("net"; "os"; "strconv")

func answer() string { return %s }

func main() {
	listener, err := net.Listen("tcp", os.Getenv("HOST")+":"+os.Getenv("PORT"))
	if err != nil { println(err.Error()); os.Exit(1) }
	for {
		peer, err := listener.Accept()
		if err != nil { continue }
		text := answer()
		peer.Read(make([]byte, 4096))
		peer.Write([]byte("HTTP/1.0 200 OK\\r\\nContent-Length: " + strconv.Itoa(len(text)) + "\\r\\n\\r\\n" + text))
		peer.Close()
	}
}
"""
MODULE = "module example.org/shop\n\ngo 1.19\n"


def answers(expression, **files):
    return {"go.mod": MODULE, "main.go": SERVER % expression, **files}


class Go(Web, unittest.TestCase):
    cart, version, title = "go", VERSIONS[0] if VERSIONS else None, "Go"
    ok = answers('"ok"')
    environment = answers(r'"LOWER=" + os.Getenv("LOWER") + "\nOPENSHIFT_APP_NAME=" + os.Getenv("OPENSHIFT_APP_NAME") + "\n"')
    broken = {
        "syntax": (answers("none"), "(?s)main.go:5:.*undefined: none.*Go could not build the program; its messages are above"),
        "exit": ({"go.mod": MODULE, "main.go": 'package main\n\nfunc main() { println("last words"); panic("no luck") }\n'},
                 "(?s)did not start: the server ended at once.*last words.*no luck"),
        "module": ({"go.mod": MODULE + "require github.com/gorilla/mux v1.8.0\n",
                    "main.go": 'package main\n\nimport _ "github.com/gorilla/mux"\n\nfunc main() {}\n',
                    "go.sum": "github.com/gorilla/mux v1.8.0 h1:i40aqfkR1h2SlN9hojwV5ZA91wcXFOvkdNIeFDP5koI=\n"
                              "github.com/gorilla/mux v1.8.0/go.mod h1:DVbg23sWSpFRCP0SfiEN6jmj59UnW/n46BH5rLB71So=\n"},
                   "(?s)Modules are missing: github.com/gorilla/mux@v1.8.0\nCLIENT_ERROR: Commit what 'go mod tidy && go mod vendor' makes"),
        "no module": ({"go.mod": MODULE, "main.go": 'package main\n\nimport _ "example.com/else/where"\n\nfunc main() {}\n'},
                      "Modules are missing: example.com/else/where\n"),
        "library": ({"go.mod": MODULE, "shop.go": "package shop\n"}, "No package is a program: the repository needs a package main"),
        "nothing": ({"README": "x"}, "nothing to build: the repository needs a go.mod, or a main.go"),
    }

    def test_vendored_module_and_several_programs(self):
        module = "example.com/greet"
        self.write({"go.mod": f"{MODULE}require {module} v1.0.0\n",
                    "vendor/modules.txt": f"# {module} v1.0.0\n## explicit; go 1.19\n{module}\n",
                    f"vendor/{module}/greet.go": 'package greet\n\nconst Text = "hello"\n',
                    "cmd/web/main.go": (SERVER % "greet.Text").replace('import (', f'import ("{module}"; '),
                    "cmd/greet/main.go": f'package main\n\nimport "{module}"\n\nfunc main() {{ print(greet.Text) }}\n'})
        self.assertIn("Several packages are programs: ./cmd/greet ./cmd/web. OPENSHIFT_GO_PACKAGE must say", self.push_fails({}))
        self.set_variable("OPENSHIFT_GO_PACKAGE", "./cmd/web")
        self.push({})
        self.assertEqual(self.get(), "hello")
        self.assertEqual(self.gear.shell("greet 2>&1", cart=self.cart), "hello")

    def test_module_of_a_mirror_in_the_repository(self):
        module, mirror = "example.com/greet", "mirror/example.com/greet/@v"
        self.write({f"{mirror}/list": "v1.0.0\n", f"{mirror}/v1.0.0.info": '{"Version":"v1.0.0"}', f"{mirror}/v1.0.0.mod": f"module {module}\n"})
        with zipfile.ZipFile(self.repo / mirror / "v1.0.0.zip", "w") as file:
            file.writestr(f"{module}@v1.0.0/greet.go", 'package greet\n\nconst Text = "mirrored"\n')
        for name, value in {"GOPROXY": f"file://{self.gear.home}/app-root/runtime/repo/mirror", "GONOSUMDB": "*", "GOFLAGS": "-mod=mod"}.items():
            self.set_variable(name, value)
        files = answers("greet.Text")
        files["go.mod"] += f"require {module} v1.0.0\n"
        files["main.go"] = files["main.go"].replace('import (', f'import ("{module}"; ')
        self.push(files)
        self.assertEqual(self.get(), "mirrored")
        self.gear.control(self.cart, "tidy")
        self.assertFalse((self.gear.home_on_host / "go/cache").exists())

    def test_a_file_without_a_module(self):
        self.push({"main.go": SERVER % 'os.Getenv("GOMEMLIMIT")'})
        self.assertEqual(self.get(), "409MiB")

    def test_a_build_that_fails_keeps_the_program_of_before(self):
        self.push(self.ok)
        self.push_fails({"main.go": "package main\n\nfunc main() { nonsense }\n"})
        self.control("start")
        self.assertEqual(self.get(), "ok")


if __name__ == "__main__":
    unittest.main()
