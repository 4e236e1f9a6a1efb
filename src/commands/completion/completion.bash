# bash completion for kubectl-cce_login
# shellcheck shell=bash
_clap_complete_kubectl_cce_login() {
    # readline ends words at `=` and `:` as well. They are put together again; what readline keeps of the last one is cut off the answers.
    local line=${COMP_LINE:0:${COMP_POINT:-${#COMP_LINE}}} words=() count=0 word='' kept='' apart candidate at
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        apart=''
        if [[ $count == 0 ]]; then
            apart=yes
        elif [[ -n $COMP_LINE ]]; then
            if [[ $line == [[:space:]]* ]]; then apart=yes; fi
        elif [[ $word != [=:]* && ${words[count - 1]} != *[=:] ]]; then
            apart=yes
        fi
        if [[ -n $COMP_LINE ]]; then
            line=${line#"${line%%[![:space:]]*}"}
            word=${word:0:${#line}}
            line=${line:${#word}}
        fi
        if [[ -n $apart ]]; then
            words[count]=''
            count=$((count + 1))
        fi
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
complete -o bashdefault -o default -F _clap_complete_kubectl_cce_login kubectl-cce_login
