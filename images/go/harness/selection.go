package main

import "strings"

// selection holds paths, folders and test ids; everything is wanted when it is empty, and the control file always.
type selection struct {
	wanted  []string
	control string
}

func split(wanted string) (string, string) {
	path, name, _ := strings.Cut(wanted, "::")
	return strings.TrimSuffix(strings.TrimPrefix(path, "./"), "/"), name
}

func within(path, wanted string) bool {
	return wanted == "" || wanted == "." || path == wanted || strings.HasPrefix(path, wanted+"/")
}

func (chosen selection) wants(path, test string) bool {
	if len(chosen.wanted) == 0 || path == chosen.control {
		return true
	}
	for _, one := range chosen.wanted {
		file, name := split(one)
		top, _, _ := strings.Cut(name, "/")
		if within(path, file) && (name == "" || top == test) {
			return true
		}
	}
	return false
}

// pattern is what -test.run is given for a test: itself, or the one test inside of it that is asked for.
func (chosen selection) pattern(path, test string) string {
	for _, one := range chosen.wanted {
		file, name := split(one)
		top, inner, deep := strings.Cut(name, "/")
		if deep && top == test && within(path, file) {
			return test + "/" + inner
		}
	}
	return test
}

// unknown are the wanted paths at which there is no source.
func (chosen selection) unknown(sources []*source) []string {
	var lost []string
	for _, one := range chosen.wanted {
		file, _ := split(one)
		there := false
		for _, source := range sources {
			there = there || within(source.Path, file)
		}
		if !there {
			lost = append(lost, one)
		}
	}
	return lost
}
