#!/usr/bin/env bash
readonly LIMIT=10
NAME=shop

total() {
    local sum=0
    price_of "$1" | add_up
}

function main {
    total "$@"
    if check_stock; then sell; fi
}

main "$@"
