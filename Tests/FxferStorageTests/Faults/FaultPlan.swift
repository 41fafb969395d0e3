import FxferProtocol
import Glibc
import Synchronization

@testable import FxferStorage

/// What happens to the system calls below one folder while a test runs, and a record of them.
///
/// Tests run beside each other in one process: a call belongs to the plan below whose folder its descriptor is, which
/// `/proc/self/fd` tells, also of a file that has no name any more.
final class FaultPlan: Sendable {
    /// Which calls fail.
    struct Strike: Sendable, CustomStringConvertible {
        let call: SystemCall
        let fault: SystemFaults.Fault
        /// The first one that fails, counted from 1.
        let first: Int
        /// How many fail from there on.
        let count: Int

        var description: String {
            "\(self.fault) of \(self.call) number \(self.first), \(self.count) at the most"
        }
    }

    /// A call that was made, or struck.
    struct Call: Sendable {
        let call: SystemCall
        /// Of the file, or of the folder in which a name is; nil of a path.
        let file: FileStatus.Identity?
        let fault: SystemFaults.Fault?

        /// Whether the system was called.
        var wasMade: Bool { if case .failure = self.fault { false } else { true } }
    }

    private struct State {
        var counts: [SystemCall: Int] = [:]
        var calls: [Call] = []
    }

    private let folder: ArraySlice<UInt8>
    private let strike: Strike?
    private let state = Mutex(State())

    private init(_ folder: String, _ strike: Strike?) {
        self.folder = Array(folder.utf8)[...]
        self.strike = strike
    }

    /// In their order.
    var calls: [Call] { self.state.withLock { $0.calls } }

    var hasStruck: Bool { self.calls.contains { $0.fault != nil } }

    fileprivate func decide(_ call: SystemCall, _ file: FileStatus.Identity?) -> SystemFaults.Fault? {
        self.state.withLock { state in
            let number = state.counts[call, default: 0] + 1
            state.counts[call] = number
            var fault: SystemFaults.Fault?
            if let strike, strike.call == call, number >= strike.first, number - strike.first < strike.count {
                fault = strike.fault
            }
            state.calls.append(Call(call: call, file: file, fault: fault))
            return fault
        }
    }
}

extension FaultPlan {
    /// Runs `body` with faults below `folder`, or only a record of the calls there.
    static func run<Result>(
        below folder: String,
        _ strike: Strike?,
        _ body: () async -> Result
    ) async -> (FaultPlan, Result) {
        let plan = FaultPlan(folder, strike)
        FaultPlans.shared.add(plan, for: plan.folder)
        let result = await body()
        FaultPlans.shared.remove(for: plan.folder)
        return (plan, result)
    }
}

/// The plans of all tests that run just now.
private final class FaultPlans: SystemFaults.Source {
    static let shared = FaultPlans()

    /// By the path of their folder.
    private let active = Mutex<[ArraySlice<UInt8>: FaultPlan]>([:])

    func add(_ plan: FaultPlan, for folder: ArraySlice<UInt8>) {
        self.active.withLock { active in
            active[folder] = plan
            SystemFaults.set(self)
        }
    }

    func remove(for folder: ArraySlice<UInt8>) {
        self.active.withLock { active in
            active[folder] = nil
            if active.isEmpty { SystemFaults.set(nil) }
        }
    }

    func fault(for call: SystemCall, _ place: SystemFaults.Place) -> SystemFaults.Fault? {
        switch place {
        case .path(let path):
            return self.plan(for: path.bytes)?.decide(call, nil)
        case .descriptor(let number):
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/self/fd/\(number)", &target, target.count)
            let path = target.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }
            guard let plan = self.plan(for: path) else { return nil }
            var status = stat()
            return plan.decide(call, Glibc.fstat(number, &status) == 0 ? FileStatus(status).identity : nil)
        }
    }

    /// That of the path itself, or of the folder nearest above it.
    private func plan(for path: [UInt8]) -> FaultPlan? {
        self.active.withLock { active in
            var rest = path[...]
            while !rest.isEmpty {
                if let plan = active[rest] { return plan }
                rest = rest[..<(rest.lastIndex(of: UInt8(ascii: "/")) ?? rest.startIndex)]
            }
            return nil
        }
    }
}

/// What the record shows.
extension FaultPlan {
    /// Whether nobody can tell any more which file has a name: then none is taken back, as it may be another's.
    var leavesNamesUnseen: Bool {
        guard let strike else { return false }
        return strike.call == .fstatat && strike.count > 1 && self.hasStruck
    }

    /// Whether the file was flushed after its last write, then named in that folder, and the folder flushed after that.
    func madeDurable(_ file: FileStatus.Identity, in folder: FileStatus.Identity) -> Bool {
        let calls = self.calls.filter(\.wasMade)
        func last(_ kinds: [SystemCall], of identity: FileStatus.Identity) -> Int? {
            calls.lastIndex { kinds.contains($0.call) && $0.file == identity }
        }
        guard let flush = last([.fsync], of: file), let naming = last([.linkat, .renameat], of: folder),
            let folderFlush = last([.fsync], of: folder)
        else { return false }
        return last([.pwrite, .ftruncate, .fchmod, .futimens], of: file) ?? -1 < flush && flush < naming
            && naming < folderFlush
    }

    func flushed(_ files: [FileStatus.Identity]) -> Bool {
        files.allSatisfy { file in self.calls.contains { $0.call == .fsync && $0.file == file && $0.wasMade } }
    }

    /// Whether the fsync of that file failed.
    func failedToFlush(_ file: FileStatus.Identity) -> Bool {
        self.calls.contains { $0.call == .fsync && $0.file == file && !$0.wasMade }
    }

    /// The files and folders whose fsync was tried again after it had failed.
    var flushedAgain: Int {
        var failed: Set<FileStatus.Identity> = []
        var again: Set<FileStatus.Identity> = []
        for call in self.calls where call.call == .fsync {
            guard let file = call.file else { continue }
            if failed.contains(file) { again.insert(file) }
            if call.fault != nil { failed.insert(file) }
        }
        return again.count
    }
}
