#!/bin/sh
# Times the networks of this folder with a benchmark program, in the order of visits.csv, and writes each visit to
# times.csv. Interrupted and called again, it goes on. Any POSIX shell does, that of Android among them.
#
#   sh time_networks.sh ./onnxruntime_perf_test -x 1          what follows the program is given to it: here one thread
#   sh time_networks.sh ./benchmark_model --num_threads=1     of TFLite; it runs NAME.tflite, made of NAME.onnx
#
# The latencies: blockprof train-predictor ... times.csv
set -eu
[ $# -gt 0 ] || { echo "usage: sh time_networks.sh PROGRAM [OPTION]..." >&2; exit 2; }
program=$1
shift
RUNS=20

# Prints what one network takes; sets nothing. The median where the program tells it, else the mean.
time_one() {
    case ${program##*/} in
        onnxruntime_perf_test*)
            output=$("$program" -m times -r "$RUNS" -I "$@" < /dev/null 2>&1) || true
            printf '%s\n' "$output" | sed -n 's/^P50 Latency: *\([0-9.e+-]*\) s.*/\1,s/p' | tail -n 1
            ;;
        benchmark_model*)
            output=$("$program" "$@" < /dev/null 2>&1) || true
            median=$(printf '%s\n' "$output" | sed -n 's/.* median=\([0-9.e+]*\).*/\1,us/p' | tail -n 1)
            mean=$(printf '%s\n' "$output" | sed -n 's/.*Inference (avg): *\([0-9.e+]*\).*/\1,us/p' | tail -n 1)
            echo "${median:-$mean}"
            ;;
        *)
            echo "$program: is neither onnxruntime_perf_test nor benchmark_model" >&2
            exit 2
            ;;
    esac
}

cd "$(dirname "$0")"
[ -e times.csv ] || head -n 1 visits.csv > times.csv
tail -n +$(($(wc -l < times.csv) + 1)) visits.csv | while IFS=, read -r id net device size _ _ file space round anchor _; do
    started=$(date +%s)
    case ${program##*/} in
        benchmark_model*) time=$(time_one --graph="${file%.onnx}.tflite" "$@") ;;
        *) time=$(time_one "$@" "$file") ;;
    esac
    [ -n "$time" ] || { echo "$file: $program tells no time; call it by hand to see why" >&2; exit 1; }
    echo "$id,$net,$device,$size,${time#*,},${time%,*},$file,$space,$round,$anchor,$started" >> times.csv
    echo "$file: ${time%,*} ${time#*,}"
done
