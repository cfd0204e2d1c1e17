package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Run builds and runs the selected tests of every module.
type Run struct {
	report    *Report
	found     *workspace
	chosen    selection
	collected int
	bad       bool
	coverage  coverage
}

func newRun(report *Report, found *workspace, chosen selection) *Run {
	return &Run{report: report, found: found, chosen: chosen, coverage: coverage{}}
}

func (run *Run) fault(id string, found failure) {
	run.bad = true
	run.report.write(found.fields("error", id))
}

func (run *Run) announce(more int) {
	run.collected += more
	run.report.write(record{"kind": "collected", "count": run.collected})
}

func (run *Run) everything() {
	for _, id := range run.chosen.unknown(run.found.Sources) {
		run.fault(id, failure{Message: "there is no test file " + id, Kind: "no_tests"})
	}
	for _, one := range run.found.Sources {
		if one.Fault != nil {
			run.fault(one.Path, *one.Fault)
		}
	}
	suites := run.suites()
	for _, suite := range suites {
		run.collected += len(suite.tests)
	}
	run.announce(0)
	for _, module := range run.found.Modules {
		run.module(module, suites)
	}
	run.coverage.tell(run.report, run.found)
	if run.collected == 0 {
		run.bad = true
	}
}

// suites are the selected tests of each folder, in the order in which they stand in the sources.
func (run *Run) suites() map[string]*suite {
	all := map[string]*suite{}
	for folder, sources := range run.found.byFolder() {
		one := &suite{folder: folder, files: map[string]string{}}
		broken := false
		for _, source := range sources {
			broken = broken || source.Fault != nil
			for _, test := range source.Tests {
				if run.chosen.wants(source.Path, test) {
					one.tests = append(one.tests, test)
					one.files[test] = source.Path
				}
			}
		}
		if len(one.tests) > 0 && !broken {
			all[folder] = one
		}
	}
	return all
}

func (run *Run) module(module string, suites map[string]*suite) {
	var packages []string
	for folder := range suites {
		if run.found.moduleOf(filepath.Join(folder, "x")) == module {
			relative, _ := filepath.Rel(module, folder)
			packages = append(packages, "./"+relative)
		}
	}
	if len(packages) == 0 {
		return
	}
	sort.Strings(packages)
	aside, err := os.MkdirTemp("", "tests")
	if err != nil {
		fail(err.Error())
	}
	defer os.RemoveAll(aside)
	made, _ := build(run.found, module, aside, "./...", packages)
	if left := unbuilt(module, packages, made); len(left) > 0 {
		// To measure a package that is broken breaks those that have nothing to do with it.
		var said string
		made, said = build(run.found, module, aside, "", left)
		run.broken(module, unbuilt(module, left, made), said)
	}
	sort.Slice(made, func(a, b int) bool { return made[a].Folder < made[b].Folder })
	for _, one := range made {
		if wanted := suites[one.Folder]; wanted != nil {
			run.binary(one, wanted)
		}
	}
}

func unbuilt(module string, packages []string, made []binary) []string {
	built := map[string]bool{}
	for _, one := range made {
		built[one.Folder] = true
	}
	var left []string
	for _, name := range packages {
		if !built[filepath.Join(module, name)] {
			left = append(left, name)
		}
	}
	return left
}

// broken tells every error of the compiler, and of each package that has none of its own that it was not built.
func (run *Run) broken(module string, packages []string, said string) {
	told := faults(module, said)
	for _, one := range told {
		run.fault(one.Path, one)
	}
	for _, name := range packages {
		folder := filepath.Join(module, name)
		named := false
		for _, one := range told {
			named = named || filepath.Dir(one.Path) == folder
		}
		if !named {
			message := fmt.Sprintf("the package in %s cannot be built\n%s", folder, strings.TrimSpace(said))
			run.fault(folder, failure{Message: message, Kind: "import", Path: folder, Line: 0})
		}
	}
}

// binary runs a package's tests; those that a panic kept from running are run again without the one that panicked.
func (run *Run) binary(one binary, wanted *suite) {
	left := wanted.tests
	for round := 0; len(left) > 0; round++ {
		profile := fmt.Sprintf("%s.%d", one.Path, round)
		output := &suiteOutput{run: run, suite: wanted, root: run.found.Root, cases: map[string]*testCase{}}
		status := output.execute(one, left, profile)
		run.bad = run.bad || status != 0
		if text, err := os.ReadFile(profile); err == nil {
			run.coverage.add(run.found, one.Folder, bytes.NewReader(text))
		}
		remaining := output.notStarted(left)
		if status == 0 || len(remaining) == len(left) {
			output.incomplete(status, remaining)
			return
		}
		left = remaining
	}
}
