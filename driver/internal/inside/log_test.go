package inside

import "testing"

func TestLogTellsOfPodsThatThisKubeletHasAdmittedOrLost(t *testing.T) {
	l := newLog()
	l.understand(`I1122 07:50:00.1 1 pod_workers.go:935] "Pod is being synced for the first time" pod="pinproof/a-1" podUID="u-1" updateType="create"`)
	l.understand(`I1122 07:50:00.1 1 pod_workers.go:935] "Pod is being synced for the first time" pod="pinproof/e-5" podUID="u-5" updateType="kill"`)
	l.understand(`I1122 07:50:00.2 1 kubelet.go:2500] "SyncLoop REMOVE" source="api" pods=["pinproof/b-2","pinproof/c-3"]`)
	l.understand(`I1122 07:50:00.3 1 kubelet.go:2500] "SyncLoop REMOVE" source="file" pods=["pinproof/d-4-worker"]`)

	if l.hasHeard() {
		t.Error("the API server has not been heard of")
	}
	l.understand(`I1122 07:50:00.4 1 kubelet.go:2500] "SyncLoop ADD" source="api" pods=[]`)

	if !l.hasHeard() {
		t.Error("the API server has told that there are no pods")
	}
	if !l.isSynced("u-1") || l.isSynced("u-2") || l.isSynced("u-5") {
		t.Errorf("synced: %v", l.synced)
	}
	if !l.isGone("pinproof/b-2") || !l.isGone("pinproof/c-3") || !l.isGone("pinproof/d-4-worker") || l.isGone("pinproof/a-1") {
		t.Errorf("gone: %v", l.gone)
	}
}
