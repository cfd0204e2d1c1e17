package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// suite holds the tests of one folder, and the file that each stands in.
type suite struct {
	folder string
	tests  []string
	files  map[string]string
}

// id is `path::TestName/sub`.
func (suite *suite) id(name string) string {
	top, _, _ := strings.Cut(name, "/")
	return suite.files[top] + "::" + name
}

// testCase is a test that was started; its output is kept until it ends.
type testCase struct {
	output strings.Builder
	failed *failure
	ended  bool
}

// suiteOutput reads what a test binary prints with -test.v.
type suiteOutput struct {
	run     *Run
	suite   *suite
	root    string
	cases   map[string]*testCase
	current string
	pending []ending
	trailer strings.Builder
	panics  bool
	done    bool
}

// ending is a line that says how a test ended. What failed inside of it, or the panic that it was, comes after it.
type ending struct{ word, name, seconds string }

var (
	runLine    = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME)\s+(.*)$`)
	endLine    = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (.+) \(([0-9.]+)s\)$`)
	panicLine  = regexp.MustCompile(`^(panic: |fatal error: |runtime: goroutine stack exceeds)`)
	logLine    = regexp.MustCompile(`^\s+([^\s:]+\.go):(\d+): ?(.*)`)
	frameLine  = regexp.MustCompile(`^\s+(/\S+\.go):(\d+)(?: \+0x[0-9a-f]+)?$`)
	finalLines = map[string]bool{"PASS": true, "FAIL": true}
)

// execute runs the tests and tells of each as it ends; returns the binary's exit code.
func (read *suiteOutput) execute(one binary, tests []string, profile string) int {
	patterns := make([]string, len(tests))
	deepest := ""
	for at, test := range tests {
		pattern := read.run.chosen.pattern(read.suite.files[test], test)
		top, inner, deep := strings.Cut(pattern, "/")
		patterns[at] = regexp.QuoteMeta(top)
		if deep && len(tests) == 1 {
			deepest = "/" + quoted(inner)
		}
	}
	command := exec.Command(one.Path, "-test.v", "-test.timeout=0", "-test.coverprofile="+profile,
		"-test.run=^("+strings.Join(patterns, "|")+")$"+deepest)
	command.Dir = filepath.Join(read.root, read.suite.folder)
	output, err := command.StdoutPipe()
	if err != nil {
		fail(err.Error())
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		fail(err.Error())
	}
	read.lines(output)
	if err := command.Wait(); err != nil {
		if command.ProcessState != nil && command.ProcessState.ExitCode() > 0 {
			return command.ProcessState.ExitCode()
		}
		return 1
	}
	return 0
}

func quoted(inner string) string {
	parts := strings.Split(inner, "/")
	for at, part := range parts {
		parts[at] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

func (read *suiteOutput) lines(output io.Reader) {
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			fmt.Fprint(os.Stdout, line)
			read.line(strings.TrimRight(line, "\r\n"))
		}
		if err != nil {
			return
		}
	}
}

func (read *suiteOutput) line(line string) {
	end := endLine.FindStringSubmatch(line)
	if end == nil && !read.panics && !panicLine.MatchString(line) {
		read.settle(nil)
	}
	switch {
	case read.panics || panicLine.MatchString(line):
		read.panics = true
		read.trailer.WriteString(line + "\n")
	case end != nil:
		read.pending = append(read.pending, ending{end[1], end[2], end[3]})
	case runLine.MatchString(line):
		found := runLine.FindStringSubmatch(line)
		read.started(found[1], found[2])
	case finalLines[line]:
		read.done = true
	default:
		if one := read.cases[read.current]; one != nil {
			one.output.WriteString(line + "\n")
		}
	}
}

// settle tells of the tests that have ended, the innermost first; a panic is why those failed that do not say why.
func (read *suiteOutput) settle(cause *failure) {
	for at := len(read.pending) - 1; at >= 0; at-- {
		read.ended(read.pending[at], cause)
	}
	read.pending = nil
}

// started: a test that is not in the sources is none of ours, whatever is printed about it.
func (read *suiteOutput) started(what, name string) {
	if read.suite.files[strings.SplitN(name, "/", 2)[0]] == "" {
		return
	}
	if what == "RUN" && read.cases[name] == nil {
		read.cases[name] = &testCase{}
		if strings.Contains(name, "/") {
			read.run.announce(1)
		}
		read.run.report.write(record{"kind": "start", "id": read.suite.id(name)})
	}
	if what != "PAUSE" {
		read.current = name
	}
}

func (read *suiteOutput) ended(end ending, cause *failure) {
	one := read.cases[end.name]
	if one == nil {
		return
	}
	duration, _ := strconv.ParseFloat(end.seconds, 64)
	fields := record{"kind": "case", "id": read.suite.id(end.name), "outcome": outcomes[end.word], "duration_s": duration}
	if end.word == "FAIL" {
		found := read.failureOf(end.name, one)
		if cause != nil && found.Line == 0 {
			found = *cause
		}
		one.failed = &found
		for key, value := range found.fields("case", read.suite.id(end.name)) {
			fields[key] = value
		}
	}
	one.ended = true
	read.run.report.write(fields)
}

var outcomes = map[string]string{"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}

// failureOf is the first line that the test logged from the workspace; for one with tests inside, that of the first
// of those which failed.
func (read *suiteOutput) failureOf(name string, one *testCase) failure {
	text := strings.TrimSpace(one.output.String())
	found := failure{Message: text, Kind: "assertion", Path: read.suite.files[strings.SplitN(name, "/", 2)[0]]}
	for _, line := range strings.Split(one.output.String(), "\n") {
		if match := logLine.FindStringSubmatch(line); match != nil {
			found.Path, found.Message = read.locate(match[1]), strings.TrimSpace(text[strings.Index(text, match[1]):])
			found.Line, _ = strconv.Atoi(match[2])
			return found
		}
	}
	if inner := read.innerFailure(name); inner != nil {
		return *inner
	}
	if found.Message == "" {
		found.Message = "the test failed without saying why"
	}
	return found
}

func (read *suiteOutput) innerFailure(name string) *failure {
	best := ""
	for inner, other := range read.cases {
		failed := strings.HasPrefix(inner, name+"/") && other.failed != nil && other.failed.Line > 0
		if failed && (best == "" || other.failed.Line < read.cases[best].failed.Line) {
			best = inner
		}
	}
	if best == "" {
		return nil
	}
	return read.cases[best].failed
}

// locate finds the file that a log line names by its last part: in the package, or the only one in the workspace.
func (read *suiteOutput) locate(name string) string {
	if filepath.IsAbs(name) {
		relative, _ := filepath.Rel(read.root, name)
		return relative
	}
	here := filepath.Join(read.suite.folder, name)
	var others []string
	for _, one := range read.run.found.Sources {
		if one.Path == here {
			return here
		}
		if filepath.Base(one.Path) == name {
			others = append(others, one.Path)
		}
	}
	if len(others) == 1 {
		return others[0]
	}
	return here
}

// notStarted are the tests that did not get their turn; those in which the process ended are told here.
func (read *suiteOutput) notStarted(tests []string) []string {
	found := failure{Message: "the test ended the process that it ran in", Kind: "exception"}
	if read.panics {
		found = read.panicked()
	}
	read.settle(&found)
	for name, one := range read.cases {
		if !one.ended {
			one.ended = true
			fields := found.fields("case", read.suite.id(name))
			fields["outcome"] = "failed"
			read.run.report.write(fields)
		}
	}
	return read.missing(tests)
}

func (read *suiteOutput) missing(tests []string) []string {
	var left []string
	for _, test := range tests {
		if read.cases[test] == nil {
			left = append(left, test)
		}
	}
	return left
}

// panicked says why and where: the first line of the workspace on the stack of the goroutine that panicked.
func (read *suiteOutput) panicked() failure {
	text := read.trailer.String()
	found := failure{Message: strings.SplitN(text, "\n", 2)[0], Kind: "exception", Path: read.suite.folder}
	for _, line := range strings.Split(text, "\n") {
		match := frameLine.FindStringSubmatch(line)
		if match != nil && strings.HasPrefix(match[1], read.root+"/") && !strings.HasSuffix(match[1], "/_testmain.go") {
			found.Path = strings.TrimPrefix(match[1], read.root+"/")
			found.Line, _ = strconv.Atoi(match[2])
			return found
		}
	}
	return found
}

// incomplete tells of a binary that ended without its last line, or left tests out.
func (read *suiteOutput) incomplete(status int, remaining []string) {
	if !read.panics && !read.done {
		message := fmt.Sprintf("the test binary ended with status %d before its tests were complete", status)
		read.run.fault(read.suite.folder, failure{Message: message, Kind: "incomplete", Path: read.suite.folder})
	} else if len(remaining) > 0 {
		message := strings.TrimSpace("tests did not run: " + strings.Join(remaining, ", ") + "\n" + read.trailer.String())
		read.run.fault(read.suite.folder, failure{Message: message, Kind: "incomplete", Path: read.suite.folder})
	}
}
