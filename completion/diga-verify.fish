# What fish offers after diga-verify; in PREFIX/share/fish/vendor_completions.d, where fish finds it.
# Whatever the program answers is a word, and never evaluated.

function __diga_verify_offered
    set -l typed (commandline -cp | string collect)
    set -l program (commandline -po)[1]
    set -l begun (string match -r -- '^--[a-z-]+=' (commandline -ct))
    set -l found (env _TYPER_COMPLETE_ARGS=$typed _TYPER_COMPLETE_FISH_ACTION=get-args \
        _DIGA_VERIFY_COMPLETE=complete_fish $program 2>/dev/null | string match -r '.+')
    if test (count $found) -gt 0
        printf "$begun%s\n" $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete --command diga-verify --no-files --arguments '(__diga_verify_offered)'
