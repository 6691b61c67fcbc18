# What bash offers after diga-verify; in PREFIX/share/bash-completion/completions, where bash-completion finds it.
# Whatever the program answers is a word, and never evaluated.

_diga_verify() {
    local word
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        [[ $word ]] && COMPREPLY+=("$(printf '%q' "$word")")
    done < <(env _TYPER_COMPLETE_ARGS="${COMP_LINE:0:COMP_POINT}" _TYPER_COMPLETE_FISH_ACTION=get-args \
        _DIGA_VERIFY_COMPLETE=complete_fish "$1" 2>/dev/null)
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
    return 0
}

complete -o default -F _diga_verify diga-verify
