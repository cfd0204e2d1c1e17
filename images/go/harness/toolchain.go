package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The wrapper of the image, which provides the build cache and a go.mod where there is none.
const program = "/usr/local/bin/go"

func goCommand(found *workspace, module string, arguments ...string) *exec.Cmd {
	command := exec.Command(program, arguments...)
	command.Dir = filepath.Join(found.Root, module)
	command.Env = os.Environ()
	return command
}

// everyModule runs one go command in each module and passes on what it says, with paths from the workspace.
func everyModule(arguments ...string) int {
	found := readWorkspace()
	status := 0
	for _, module := range found.Modules {
		command := goCommand(found, module, append(arguments, "./...")...)
		output, err := command.CombinedOutput()
		for _, line := range strings.SplitAfter(string(output), "\n") {
			fmt.Print(fromWorkspace(module, line))
		}
		if err != nil {
			status = 1
		}
	}
	return status
}

var place = regexp.MustCompile(`^(?:vet: )?(?:\./)?([^\s:]+\.go):(\d+)(?::\d+)?: (.*)`)

func fromWorkspace(module, line string) string {
	if found := place.FindStringSubmatch(line); found != nil && !filepath.IsAbs(found[1]) {
		return filepath.Join(module, found[1]) + ":" + found[2] + ": " + found[3] + "\n"
	}
	return line
}

// binary is a built test binary and the folder of its package, relative to the workspace.
type binary struct {
	Path   string
	Folder string
}

// keep is what runs in place of a test binary: it puts the binary aside, with the folder that it belongs to.
func keep(folder string) {
	test := os.Args[3]
	where, err := os.Getwd()
	if err == nil {
		var aside string
		if aside, err = os.MkdirTemp(folder, "p"); err == nil {
			if err = os.Rename(test, filepath.Join(aside, "test")); err == nil {
				err = os.WriteFile(filepath.Join(aside, "folder"), []byte(where), 0o600)
			}
		}
	}
	if err != nil {
		fail(err.Error())
	}
}

// build makes the test binaries of a module's packages, which measure the packages that measured names, or only
// their own. What is said of those that cannot be built comes back as text.
func build(found *workspace, module, aside, measured string, packages []string) ([]binary, string) {
	self, err := os.Executable()
	if err != nil {
		fail(err.Error())
	}
	arguments := []string{"test", "-count=1", "-vet=off", "-cover", "-covermode=set", "-json", "-ldflags=-s -w",
		"-exec=" + self + " keep " + aside}
	if measured != "" {
		arguments = append(arguments, "-coverpkg="+measured)
	}
	command := goCommand(found, module, append(arguments, packages...)...)
	var said, noise bytes.Buffer
	command.Stdout, command.Stderr = &said, &noise
	_ = command.Run()
	var made []binary
	entries, _ := os.ReadDir(aside)
	for _, entry := range entries {
		folder, err := os.ReadFile(filepath.Join(aside, entry.Name(), "folder"))
		if err == nil {
			relative, _ := filepath.Rel(found.Root, string(folder))
			made = append(made, binary{filepath.Join(aside, entry.Name(), "test"), relative})
		}
	}
	return made, spoken(&said) + noise.String()
}

// spoken is the text in the events of `go test -json`.
func spoken(events io.Reader) string {
	var text strings.Builder
	decoder := json.NewDecoder(events)
	for {
		var event struct{ Action, Output string }
		if decoder.Decode(&event) != nil {
			return text.String()
		}
		text.WriteString(event.Output)
	}
}

// faults are the errors that the compiler names, each of them once.
func faults(module, said string) []failure {
	var all []failure
	seen := map[failure]bool{}
	for _, line := range strings.Split(said, "\n") {
		found := place.FindStringSubmatch(line)
		if found == nil || filepath.IsAbs(found[1]) {
			continue
		}
		number, _ := strconv.Atoi(found[2])
		kind := "syntax"
		if absent.MatchString(found[3]) {
			kind = "import"
		}
		one := failure{Message: found[3], Kind: kind, Path: filepath.Join(module, found[1]), Line: number}
		if !seen[one] {
			all = append(all, one)
		}
		seen[one] = true
	}
	return all
}

var absent = regexp.MustCompile(
	`undefined: |undefined \(|not (?:declared|exported) by package|no required module|is not in (?:GOROOT|std)|cannot find (?:package|module)`)
