package main

import (
	"go/ast"
	gobuild "go/build"
	"go/doc"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// source is a parsed file; Path is relative to the workspace.
type source struct {
	Path  string
	Tests []string
	Lines []position
	Fault *failure
}

type position struct{ Line, Column int }

// workspace holds the files by folder, and the folders that are modules. A root without go.mod counts as one.
type workspace struct {
	Root    string
	Sources []*source
	Modules []string
}

func readWorkspace() *workspace {
	root, err := os.Getwd()
	if err != nil {
		fail(err.Error())
	}
	found := &workspace{Root: root}
	loose := false
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		name := entry.Name()
		if entry.IsDir() {
			skipped := strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor"
			if path != root && skipped {
				return filepath.SkipDir
			}
			return nil
		}
		relative, _ := filepath.Rel(root, path)
		if name == "go.mod" {
			found.Modules = append(found.Modules, filepath.Dir(relative))
		}
		if strings.HasSuffix(name, ".go") && entry.Type().IsRegular() && meant(path) {
			found.Sources = append(found.Sources, parse(relative, path))
		}
		return nil
	})
	sort.Strings(found.Modules)
	for _, one := range found.Sources {
		loose = loose || found.moduleOf(one.Path) == ""
	}
	if loose {
		found.Modules = append([]string{"."}, found.Modules...)
	}
	return found
}

// meant tells whether a file is for this system and these build tags. One that cannot be read is, and is told later.
func meant(path string) bool {
	system := gobuild.Default
	system.CgoEnabled = false
	matches, err := system.MatchFile(filepath.Dir(path), filepath.Base(path))
	return matches || err != nil
}

// moduleOf is the folder of the innermost module that a path lies in; empty when there is none.
func (found *workspace) moduleOf(path string) string {
	best := ""
	for _, module := range found.Modules {
		inside := module == "." || strings.HasPrefix(path, module+"/")
		if inside && (best == "" || best == "." || len(module) > len(best)) {
			best = module
		}
	}
	return best
}

func (found *workspace) byFolder() map[string][]*source {
	folders := map[string][]*source{}
	for _, one := range found.Sources {
		folder := filepath.Dir(one.Path)
		folders[folder] = append(folders[folder], one)
	}
	return folders
}

func parse(relative, path string) *source {
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution|parser.ParseComments)
	parsed := &source{Path: relative}
	if err != nil {
		parsed.Fault = &failure{Message: err.Error(), Kind: "syntax", Path: relative, Line: 1}
		if list, ok := err.(scanner.ErrorList); ok && len(list) > 0 {
			parsed.Fault.Message, parsed.Fault.Line = list[0].Msg, list[0].Pos.Line
		}
		return parsed
	}
	if strings.HasSuffix(relative, "_test.go") {
		parsed.Tests = tests(tree)
	} else {
		parsed.Lines = statements(files, tree)
	}
	return parsed
}

// tests are tests, fuzz tests (which run on their seeds), and examples that say what they print.
func tests(tree *ast.File) []string {
	var found []string
	for _, declaration := range tree.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok && isTest(function) {
			found = append(found, function.Name.Name)
		}
	}
	for _, example := range doc.Examples(tree) {
		if example.Output != "" || example.EmptyOutput {
			found = append(found, "Example"+example.Name)
		}
	}
	return found
}

// isTest tells tests as `go test` does: TestXxx with one parameter, Xxx not beginning in lower case.
func isTest(function *ast.FuncDecl) bool {
	name := function.Name.Name
	rest := strings.TrimPrefix(strings.TrimPrefix(name, "Test"), "Fuzz")
	if rest == name || function.Recv != nil || name == "TestMain" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(rest)
	return (rest == "" || !unicode.IsLower(first)) && len(function.Type.Params.List) == 1
}

// statements are the places where a statement of a function begins.
func statements(files *token.FileSet, tree *ast.File) []position {
	var found []position
	ast.Inspect(tree, func(node ast.Node) bool {
		switch statement := node.(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, *ast.LabeledStmt, *ast.EmptyStmt:
		case ast.Stmt:
			place := files.Position(statement.Pos())
			found = append(found, position{place.Line, place.Column})
		}
		return true
	})
	return found
}
