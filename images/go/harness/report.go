package main

import (
	"encoding/json"
	"os"
	"syscall"
)

const (
	reportDescriptor = 3
	prSetDumpable    = 4
)

type record map[string]any

// Report is the pipe to the host. No process that is started later inherits it, and none of the same user may reach
// into this one for it.
type Report struct{ file *os.File }

func openReport() *Report {
	if _, _, code := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); code != 0 {
		fail("the harness cannot keep its descriptors to itself: " + code.Error())
	}
	syscall.CloseOnExec(reportDescriptor)
	return &Report{os.NewFile(reportDescriptor, "report")}
}

func (report *Report) write(fields record) {
	line, err := json.Marshal(fields)
	if err == nil {
		_, err = report.file.Write(append(line, '\n'))
	}
	if err != nil {
		fail(err.Error())
	}
}

// failure says what went wrong and where; Line counts from 1.
type failure struct {
	Message string
	Kind    string
	Path    string
	Line    int
}

func (found failure) fields(kind, id string) record {
	const characters = 2000
	message := found.Message
	if len(message) > characters {
		message = message[:characters]
	}
	return record{
		"kind": kind, "id": id, "message": message, "kind_of_failure": found.Kind, "path": found.Path, "line": found.Line,
	}
}
