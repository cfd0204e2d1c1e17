#!/bin/sh
# Leaves shells in the background that no end of their parent ends.
(trap '' HUP INT TERM PIPE; while :; do echo x >> beat; sleep 0.02; done) &
nohup sh -c 'while :; do echo x >> beat; sleep 0.02; done' >/dev/null 2>&1 &
setsid sh -c 'while :; do echo x >> beat; sleep 0.02; done' &
sleep 0.2
echo "contained: three shells were left behind"
