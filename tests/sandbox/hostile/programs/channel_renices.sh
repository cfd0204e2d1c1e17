#!/bin/sh
# Takes the processor and the disk away from the runner with the tools of the system.
for tool in "renice -n 19 -p 1" "ionice -c 3 -p 1" "taskset -p 1 1" "chrt -i -p 0 1" "chrt -f 99 true" "nice -n -20 true" \
    "prlimit --pid 1 --nofile=0" "kill -STOP 1" "kill -9 1" "choom -p 1 -n 1000"; do
    if command -v "${tool%% *}" >/dev/null 2>&1; then
        if $tool >/tmp/said 2>&1 && ! grep -qi "cannot set niceness" /tmp/said; then
            echo "ESCAPED: $tool"
        else
            echo "contained: $tool: $(head -c 100 /tmp/said | tr '\n' ' ')"
        fi
    else
        echo "contained: there is no ${tool%% *}"
    fi
done
