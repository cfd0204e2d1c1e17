module soundstage.invalid/harness

go 1.19
