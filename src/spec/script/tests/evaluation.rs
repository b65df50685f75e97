//! Values that a shell evaluates again after their expansion.

use super::*;

/// Returns the variables of a script that a shell evaluates again, with placeholders as `I`, `C0` and `C1`.
fn evaluated_in(script: &str) -> String {
    let mut found: Vec<_> = find_evaluated(&with_references(script)).unwrap();
    found.retain(|(name, _)| ["I", "C0", "C1"].contains(&name.as_str()));
    let mut found: Vec<_> = found.iter().map(|(name, place)| format!("{name} {place:?}")).collect();
    found.sort();
    found.dedup();
    found.join(", ")
}

#[test]
fn formulas_accept_only_numbers() {
    insta::assert_snapshot!(evaluated_in("echo {} $(({n} + $(cat {#}) + {n})) ${x:{m}}"), @"C0 Arithmetic, C1 Arithmetic");
    insta::assert_snapshot!(evaluated_in("for ((i = {m}; i < 3; i++)); do :; done; {n}"), @"C1 Arithmetic");
    insta::assert_snapshot!(evaluated_in("a[b[1] + {}]={n}; echo $[ a[1] + {m} ]"), @"C1 Arithmetic, I Arithmetic");
    insta::assert_snapshot!(evaluated_in("[[ -n {n} && ( {} -eq 1 ) ]] && read {m}"), @"C1 Name, I Arithmetic");
    insta::assert_snapshot!(evaluated_in("trap 'rm {}' EXIT; eval \"x={n}\""), @"C0 Code, I Code");
    for number in ["0", "-1", "+7", "0x1F", "1.5", ".5", "1e3", "-2.5E-3"] {
        assert!(is_number(number.as_bytes()), "{number}");
    }
    for other in ["", "-", "a", "0x", "x[$(id)]", "1+1", "1 ", "inf", "nan", "--1", "0x-1", "1_0", "\u{663}", "PATH"] {
        assert!(!is_number(other.as_bytes()), "{other}");
    }
    assert!(!is_number(b"1\xff"));
}

/// Values whose commands run if a shell evaluates them; the second is for arrays.
const INJECTIONS: [&str; 2] = ["x[$(echo INJECTED >&2)0]", "($(echo INJECTED >&2))"];

/// Returns whether a shell runs a command in a value of the script.
fn runs_its_item(shell: &[&str], script: &str) -> bool {
    INJECTIONS.iter().any(|item| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg(script).env("I", item).current_dir(&folder).stdin(std::process::Stdio::null());
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stderr).lines().any(|line| line == "INJECTED")
    })
}

/// Every known way to make a shell evaluate a value again. Bash evaluates those before `@`.
const EVALUATING: &str = r#"
a=(1 2); echo "${a[{}]}" ${#a[{}]}
a=(1 2); a[{}]=3
a[{}]+=3
a=([{}]=3)
a+=(["{}"]=3)
declare a[{}]=3
declare "a[{}]=3"
f() { local "a[{}]=3"; }; f
[[ {} -eq 1 ]]
[[ 1 -lt "{}" ]]
[[ -n a && ( 1 = 2 || {} -ge 1 ) ]]
[[ $(echo {}) -eq 1 ]]
if [[ x = x ]] && [[ 1 -ne {} ]]; then :; fi
let "y={}"
let y=1 z={}
declare -i n={}
typeset -i n={}
typeset -i n; n={}
declare -ri n={}
f() { local -i n={}; }; f
declare -i n; n+={}
f() { n={}; }; declare -i n; f
declare -i n; export n={}
declare -i n; for n in {}; do :; done
declare -i n; read n <<< {}
declare -i n; printf -v n %s {}
declare -i n; : ${n:={}}
declare -i n; : ${n={}}
declare -ai a=({})
declare -i a; a=({})
printf -v {} 1
printf -v{} 1
test -v {}
[ -v {} ]
[[ -v {} ]]
read {} </dev/null
echo x | read -r v {}
x=(1); unset {}
declare {}=1
declare -n r={}; echo "$r"
declare -n r; r={}; echo "$r"
declare -a x={}
declare -A x={}
x=(); declare x={}
x=(); readonly -a x={}
f() { local -a x; local x={}; }; f
echo $[ {} ] "$[{}+1]"
mapfile -C {} -c 1 a <<< a
echo "${!I}" {}
x=abc; echo "${x:{}}" "${x:0:{}}" ${x: {} : 1}
echo "${@:{}}"
RANDOM={}
OPTIND={}
HISTCMD={}
PS4="{} "; set -x; :
: >&{}
trap {} EXIT
trap -- 'rm {}' 0
eval {}
eval echo {}
eval "x={}"
eval 'echo {}'
command eval {}
builtin eval {}
command -p eval {}
time -p eval {}
! eval {}
"eval" {}
\eval {}
X=1 eval {}
eval X=1 {}
if :; then eval {}; fi
function f { eval {}; }; f
f() { eval {}; }; f
: > f eval; > f eval {}
compgen -W {}
echo "${I@P}" {}
sh -c "echo {}"
bash -o errexit -ec 'echo {}'
echo a | xargs -I% sh -c "echo % {}"
find . -maxdepth 0 -exec sh -c "echo {}" \;
echo $(( $(echo {}) ))
(( {} > 0 ))
: {}; echo $(( I )) ${a[I]}
: {}; [[ I -eq 1 ]]
: {}; let y=I+1
@
[ {} -eq 1 ]
test 1 -gt {}
integer n={}
export {}
readonly {}=1
read -t {} v
getopts a {} -a
SECONDS={}
shift {}
ulimit -n {}
alias z={}
emulate sh -c {}
"#;

/// Scripts in which no shell evaluates a value.
const LEAVING: &str = r#"
echo {} "{}" '{}' $'{}'
x={}; echo "$x"
x={} y=1 env
export x={}
f() { local x={}; }; f
declare x={}
readonly x={}
declare -r x={}
[ -n {} ] && [ {} = x ]
[[ -n {} && {} == x || {} =~ ^a ]]
[[ {} -nt x ]] || [ -f {} ]
case {} in {}) ;; *) ;; esac
for x in {}; do echo "$x"; done
while read -r line; do echo "$line"; done < {}
read x <<< {}
read x < {}
mapfile -t lines < {}
cat <<< {}
cat > {}
echo > "{}.out" 2>&1
echo a >> {}
files=({} b); echo "${files[@]}"
declare -a files=({} b)
files+=({}); echo "${files[0]}"
x=a; echo ${x#{}} ${x%{}} ${x:-{}} ${y:={}}
echo $(( $(wc -l < {}) + 1 ))
n=$(( 1 + 2 )); echo {} $n
set -- {}; echo "$1"
printf '%s %d
' {} 3
printf -v x %s {}
trap 'rm -f "$f"' EXIT; f={}
eval 'echo "$x"'; echo {}
sh -c 'echo "$1"' sh {}
bash -c 'echo "$@"' bash {}
echo {} | xargs -I% echo %
source ./{}
. ./{}
test -d {} || mkdir {}
cd {}
command -v {}
exit {}
if [ "$#" -eq 0 ]; then echo {}; fi
if [[ $x -eq 0 ]]; then echo {}; fi
for i in 1 2 3; do [ "$i" -lt 2 ] && echo {}; done
unset x; echo {}
let x=1; echo {}
declare -i n=1; echo {} $n
a=(1 2); echo "${a[1]}" {}
IFS={}
{ echo {}; } > out
f() { echo "$1"; }; f {}
sleep {}
kill {}
"#;

#[test]
fn no_shell_runs_what_is_in_an_item() {
    let bash = &["bash", "-c"][..];
    let (by_bash, by_others) = EVALUATING
        .split_once(
            "
@
",
        )
        .unwrap();
    let mut wrong = Vec::new();
    for script in by_bash.trim().lines() {
        if !runs_its_item(bash, &with_references(script)) {
            wrong.push(format!("bash leaves the item what it is: {script}"));
        }
    }
    for script in by_bash.trim().lines().chain(by_others.trim().lines()) {
        if evaluated_in(script).is_empty() {
            wrong.push(format!("accepted: {script}"));
        }
    }
    let others = ["dash", "ksh", "mksh", "zsh"].into_iter();
    let others = others.filter(|shell| Command::new(shell).args(["-c", ":"]).output().is_ok());
    let shells: Vec<_> = shells().into_iter().chain(others.map(|shell| vec![shell, "-c"])).collect();
    for script in LEAVING.trim().lines() {
        if !evaluated_in(script).is_empty() {
            wrong.push(format!("refused: {script}"));
        }
        let ran = shells.iter().filter(|shell| runs_its_item(shell, &with_references(script)));
        wrong.extend(ran.map(|shell| format!("{shell:?} runs the item: {script}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
