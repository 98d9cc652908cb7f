"""The configuration of the throw-away Ceph. Each unusual line is needed: Ceph was tried without it."""

CONF = """\
[global]
fsid = {cluster}
mon host = [v2:127.0.0.1:{monitor}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
ms bind ipv6 = false
keyring = {folder}/keyring
run dir = {folder}
crash dir = {folder}/crash
# the path of a socket ends at 107 bytes, which a temporary folder soon has
admin socket =
log file = {folder}/log/$name.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true

[mon]
mon data = {folder}/mon
mon cluster log file = {folder}/log/cluster.log
# each pool that the gateway makes is two or three changes, which would wait for a second each
paxos propose interval = 0.05
# a monitor stops itself on a disk that is nearly full
mon data avail warn = 0
mon data avail crit = 0
mon warn on pool no redundancy = false
auth allow insecure global id reclaim = false
mon max pg per osd = 1000

[osd]
osd data = {folder}/osd
osd class dir = {classes}
osd objectstore = memstore
memstore device bytes = 4294967296
osd op num shards = 1
osd op num threads per shard = 2
# changes of a user are told to all gateways, and a killed one is waited for so long: 30 s if nothing is said
osd client watch timeout = 2

[client]
log file = /dev/null
rgw rados pool pg num min = 1
# else a gateway that asks before the OSD is up waits five seconds
objecter tick interval = 0.5

[client.rgw]
log file = {folder}/log/rgw.log
rgw data = {folder}/rgw
# without the option every kept-alive request takes 44 ms
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw enable apis = s3, admin, sts, iam
rgw thread pool size = 32
rgw override bucket index max shards = 1
rgw dynamic resharding = false
rgw run sync thread = false
rgw enable lc threads = false
# the usage log is written every second
rgw enable usage log = true
rgw usage log flush threshold = 1
rgw usage log tick interval = 1
# stored totals lag by a second; the running ones (rgw bucket quota ttl) are what makes quotas exact, so they stay on
rgw user quota bucket sync interval = 1
# what is deleted leaves the memory at once
rgw gc obj min wait = 0
rgw gc processor period = 5
rgw gc processor max time = 5
rgw sts key = 0123456789abcdef
"""
