import Synchronization

@testable import FxferStorage

/// What a verification has reported.
final class Findings: Sendable {
    private let findings = Mutex<[StoredFinding]>([])

    var all: [StoredFinding] { self.findings.withLock { $0 } }

    func add(_ finding: StoredFinding) {
        self.findings.withLock { $0.append(finding) }
    }
}
