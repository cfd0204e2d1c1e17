package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// block is a stretch of code that is run as a whole.
type block struct {
	from, to position
	ran      bool
}

// coverage holds the blocks of each file, by its path in the workspace.
type coverage map[string][]block

var profileLine = regexp.MustCompile(`^(.+):(\d+)\.(\d+),(\d+)\.(\d+) \d+ (\d+)$`)

// add takes in the profile of a run. It names files by their import path: the module's name comes off.
func (all coverage) add(found *workspace, folder string, profile io.Reader) {
	module := found.moduleOf(filepath.Join(folder, "x"))
	prefix := moduleName(filepath.Join(found.Root, module, "go.mod")) + "/"
	lines := bufio.NewScanner(profile)
	for lines.Scan() {
		match := profileLine.FindStringSubmatch(lines.Text())
		if match == nil || !strings.HasPrefix(match[1], prefix) {
			continue
		}
		var numbers [5]int
		for at := range numbers {
			numbers[at], _ = strconv.Atoi(match[at+2])
		}
		path := filepath.Join(module, strings.TrimPrefix(match[1], prefix))
		from, to := position{numbers[0], numbers[1]}, position{numbers[2], numbers[3]}
		all[path] = append(all[path], block{from, to, numbers[4] > 0})
	}
}

// nameless is the module of a workspace that has no go.mod; the wrapper of the image calls it so.
const nameless = "workspace"

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)"?`)

func moduleName(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nameless
	}
	if found := moduleLine.FindSubmatch(text); found != nil {
		return string(found[1])
	}
	return nameless
}

func before(a, b position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column <= b.Column
}

// tell reports the lines on which a statement begins, and those of them that ran, of every file that is no test.
func (all coverage) tell(report *Report, found *workspace) {
	for _, one := range found.Sources {
		executable, executed := map[int]bool{}, map[int]bool{}
		for _, place := range one.Lines {
			executable[place.Line] = true
			for _, stretch := range all[one.Path] {
				if stretch.ran && before(stretch.from, place) && before(place, stretch.to) {
					executed[place.Line] = true
				}
			}
		}
		if len(executable) > 0 {
			report.write(record{"kind": "coverage", "path": one.Path, "executable": sorted(executable), "executed": sorted(executed)})
		}
	}
}

func sorted(lines map[int]bool) []int {
	found := []int{}
	for line := range lines {
		found = append(found, line)
	}
	sort.Ints(found)
	return found
}
