// Runs the tests of a Go workspace and reports to file descriptor 3; also compiles and lints it.
//
// The candidate's code runs in test binaries, which are processes of their own: they have neither the report's pipe
// nor anything of this process. What they print is read the way `go test` reads it. Tamper-evident: ending the
// process, results told twice, results of tests that are not in the sources, tests in the sources that told none.
// Not: a test binary that prints, in place of the testing package, exactly what that would have printed.
//
// Arguments: `test` with `--control=FILE`, then paths and test ids `path::TestName/sub`; `compile`; `lint`; and
// `keep`, which `go test -exec` is given in place of a run: it puts the test binary aside.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("give one of: test, compile, lint")
	}
	switch os.Args[1] {
	case "keep":
		keep(os.Args[2])
	case "compile":
		// The cheapest of vet's checks: all packages are type-checked, their tests as well, and nothing is linked.
		os.Exit(everyModule("vet", "-buildtag"))
	case "lint":
		os.Exit(everyModule("vet"))
	case "test":
		os.Exit(test(os.Args[2:]))
	default:
		fail("there is no command " + os.Args[1])
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "harness: "+message)
	os.Exit(2)
}

func test(arguments []string) int {
	started := time.Now()
	report := openReport()
	control := ""
	if len(arguments) > 0 && strings.HasPrefix(arguments[0], "--control=") {
		control, arguments = strings.TrimPrefix(arguments[0], "--control="), arguments[1:]
	}
	run := newRun(report, readWorkspace(), selection{wanted: arguments, control: control})
	run.everything()
	status := 0
	if run.bad {
		status = 1
	}
	report.write(record{"kind": "finished", "status": status, "duration_s": time.Since(started).Seconds()})
	return status
}
