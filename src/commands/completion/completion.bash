# bash completion for kubectl-cce_login
# shellcheck shell=bash
_kubectl_cce_login() {
    # readline ends words at `=` and `:` as well. They are put together again; what readline keeps of the last one is cut off the answers.
    local line=${COMP_LINE:0:COMP_POINT} words=() count=0 word kept='' candidate at
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ $count == 0 || $line == [[:space:]]* ]]; then
            line=${line#"${line%%[![:space:]]*}"}
            words[count]=''
            count=$((count + 1))
        fi
        word=${word:0:${#line}}
        line=${line:${#word}}
        kept=${words[count - 1]}
        words[count - 1]=$kept$word
    done
    if [[ $word == [=:]* && -z ${word//[=:]/} ]]; then
        kept=${words[count - 1]}
    fi
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("${candidate#"$kept"}")
    done < <(_CCE_LOGIN_COMPLETE=bash "$1" -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o default -F _kubectl_cce_login kubectl-cce_login
