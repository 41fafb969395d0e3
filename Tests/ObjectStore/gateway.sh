#!/usr/bin/env bash
# A real S3 server for the tests: Ceph's RADOS Gateway from Debian's packages, with one monitor and one disk (a file of the
# folder), on loopback. Up in some seconds; about 135 MiB of memory. Needs root.
#
#   gateway.sh start    install it where it is missing, start it, wait until it answers, make the bucket `files`; prints what
#                       tests need (eval it)
#   gateway.sh stop     end its processes       gateway.sh wipe    and remove all data
#
# GATEWAY_DIR (/tmp/fxfer-gateway) is where its data are, GATEWAY_PORT (7480) where it listens, GATEWAY_MONITOR_PORT (40780)
# where its parts talk to each other; GATEWAY_TLS_PORT has it speak TLS there, too, with the certificate DIR/tls.crt.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

folder=${GATEWAY_DIR:-/tmp/fxfer-gateway}
port=${GATEWAY_PORT:-7480} monitor=${GATEWAY_MONITOR_PORT:-40780} tls_port=${GATEWAY_TLS_PORT:-}
key=FXFERTESTACCESSKEY01 secret=fxferTestSecretKey00000000000000000000001
configuration=$folder/ceph.conf endpoint=http://127.0.0.1:$port

say() { echo "gateway: $*" >&2; }

fail() {
    say "$*"
    tail -n 8 "$folder"/log/*.log >&2 2>/dev/null || true
    exit 1
}

# Whether the process that NAME.pid names is alive and runs PROGRAM.
alive() {
    local pid
    pid=$(cat "$folder/run/$1.pid" 2>/dev/null) && [ -n "$pid" ] &&
        [ "$(basename "$(readlink "/proc/$pid/exe" 2>/dev/null)")" = "$2" ]
}

# launch NAME PROGRAM ARGUMENT...: in a session of its own, without the descriptors of whoever called.
launch() {
    local name=$1
    shift
    setsid bash -c 'for fd in /proc/self/fd/*; do
            fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-" 2>/dev/null
        done
        echo $$ > "$0"; exec "$@"' "$folder/run/$name.pid" "$@" </dev/null >>"$folder/log/$name.out" 2>&1 &
    disown
}

end() {
    local pid
    alive "$1" "$2" || { rm -f "$folder/run/$1.pid"; return 0; }
    pid=$(cat "$folder/run/$1.pid")
    kill -TERM "$pid" || true
    for _ in $(seq 75); do [ -d "/proc/$pid" ] || break; sleep 0.2; done
    if [ -d "/proc/$pid" ]; then kill -KILL "$pid" || true; fi
    rm -f "$folder/run/$1.pid"
}

end_all() {
    end gateway radosgw
    end disk ceph-osd
    end monitor ceph-mon
}

answers() { curl -s -o /dev/null --max-time 5 "$endpoint/"; }

install_packages() {
    local packages=(radosgw ceph-mon ceph-osd curl uuid-runtime openssl) as_root
    dpkg -s "${packages[@]}" >/dev/null 2>&1 && return
    as_root=$(command -v sudo || true)
    $as_root apt-get install -y -q --no-install-recommends "${packages[@]}" >&2
}

configure() {
    mkdir -p "$folder"/{run,log,monitor,disk,crash,gateway}
    [ -f "$folder/fsid" ] || uuidgen > "$folder/fsid"
    [ -f "$folder/disk.uuid" ] || uuidgen > "$folder/disk.uuid"
    local tls=
    if [ -n "$tls_port" ]; then
        if [ ! -f "$folder/tls.pem" ]; then
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1 \
                -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
            cat "$folder/tls.key" "$folder/tls.crt" > "$folder/tls.pem"
        fi
        tls=" ssl_endpoint=127.0.0.1:$tls_port ssl_certificate=$folder/tls.pem"
    fi
    # `ms mon client mode`: the gateway's default is encrypted, which goes with no authentication at all.
    cat > "$configuration" <<END
[global]
fsid = $(cat "$folder/fsid")
mon host = [v2:127.0.0.1:$monitor,v1:127.0.0.1:$((monitor + 1))]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
run dir = $folder/run
admin socket = $folder/run/\$name.\$pid.asok
log file = $folder/log/\$name.log
crash dir = $folder/crash
keyring = $folder/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 1
mon max pg per osd = 1000
[mon]
paxos propose interval = 0.05
mon data = $folder/monitor
mon cluster log file = $folder/log/cluster.log
[osd]
osd data = $folder/disk
osd objectstore = bluestore
osd memory target = 939524096
bluestore block create = true
bluestore block size = $((8 << 30))
osd max object name len = 2048
osd class default list = *
osd class load list = *
[client.rgw.fxfer]
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1$tls
rgw data = $folder/gateway
[client]
rgw thread pool size = 64
rgw override bucket index max shards = 1
rgw dynamic resharding = false
rgw enable usage log = false
rgw run sync thread = false
rgw rados pool pg num min = 4
rgw dns name = localhost
rgw gc obj min wait = 5
rgw gc processor period = 5
rgw gc processor max time = 5
END
}

variables() {
    echo "export FXFER_S3_ENDPOINT=$endpoint AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret"
}

start() {
    if alive gateway radosgw && alive disk ceph-osd && alive monitor ceph-mon && answers; then
        make_bucket
        variables
        return
    fi
    install_packages
    configure
    end_all
    rm -f "$folder"/run/*.asok
    [ -f "$folder/keyring" ] || ceph-authtool "$folder/keyring" --create-keyring >/dev/null
    if [ ! -f "$folder/monitor/kv_backend" ]; then
        rm -f "$folder/monmap"
        monmaptool --create --fsid "$(cat "$folder/fsid")" \
            --addv a "[v2:127.0.0.1:$monitor,v1:127.0.0.1:$((monitor + 1))]" "$folder/monmap" >/dev/null
        ceph-mon -c "$configuration" -i a --mkfs --monmap "$folder/monmap" >"$folder/log/make-monitor.log" 2>&1 ||
            fail "the monitor cannot be made"
    fi
    launch monitor ceph-mon -c "$configuration" -i a -f
    timeout 60 ceph -c "$configuration" --connect-timeout 50 mon stat >/dev/null 2>>"$folder/log/ceph.log" ||
        fail "the monitor does not answer"
    if [ ! -f "$folder/disk/whoami" ]; then
        ceph -c "$configuration" osd new "$(cat "$folder/disk.uuid")" 0 >/dev/null 2>>"$folder/log/ceph.log" ||
            fail "the disk is not taken"
        ceph-osd -c "$configuration" -i 0 --mkfs --osd-uuid "$(cat "$folder/disk.uuid")" \
            >"$folder/log/make-disk.log" 2>&1 || fail "the disk cannot be made"
    fi
    launch disk ceph-osd -c "$configuration" -i 0 -f
    for round in $(seq 120); do
        ceph -c "$configuration" osd stat 2>/dev/null | grep -q ' 1 up' && break
        [ "$round" = 120 ] && fail "the disk does not come up"
        sleep 0.25
    done
    if [ ! -f "$folder/user" ]; then
        timeout 120 radosgw-admin -c "$configuration" -n client.rgw.fxfer user create --uid=fxfer --display-name=fxfer \
            --access-key="$key" --secret="$secret" >"$folder/log/user.json" 2>>"$folder/log/ceph.log" ||
            fail "the user cannot be made"
        touch "$folder/user"
    fi
    launch gateway radosgw -c "$configuration" -n client.rgw.fxfer -f
    for round in $(seq 240); do
        answers && break
        [ "$round" = 240 ] && fail "the gateway does not answer"
        sleep 0.25
    done
    make_bucket
    variables
}

# The bucket `files`, for trying by hand; tests make their own. No error where it is there.
make_bucket() {
    # The SHA-256 of no content.
    local empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    curl -s -f -o /dev/null --max-time 20 --aws-sigv4 "aws:amz:us-east-1:s3" --user "$key:$secret" \
        -H "x-amz-content-sha256: $empty" -X PUT "$endpoint/files" || fail "the bucket cannot be made"
}

case ${1:-} in
    start) start ;;
    stop) end_all ;;
    wipe)
        end_all
        rm -rf "$folder"
        ;;
    *)
        echo "usage: $0 start|stop|wipe" >&2
        exit 2
        ;;
esac
