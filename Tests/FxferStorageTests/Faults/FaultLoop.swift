import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

/// Something that is done while calls fail: the same each time, in a folder of its own, which was made ready before.
protocol FaultScene: Sendable {
    associatedtype Outcome: Sendable

    /// What is done while calls fail.
    func run() async throws -> Outcome

    /// Looks at what is there afterwards, without faults.
    func check(_ result: Result<Outcome, any Error>, _ plan: FaultPlan) async throws
}

/// Does something again and again, in each run with another call of a kind failing, until none is left that could: first
/// the first one, then the second one, and so on, each alone and with all that follow.
enum FaultLoop {
    /// What happens just now, for messages.
    @TaskLocal static var now: Comment = "no fault"

    /// - Parameter make: makes the scene ready in that folder.
    static func run<Scene: FaultScene>(
        _ call: SystemCall,
        _ make: (TemporaryFolder) async throws -> Scene
    ) async throws {
        for (fault, count) in Self.faults(of: call) {
            for first in 1... {
                let strike = FaultPlan.Strike(call: call, fault: fault, first: first, count: count)
                let folder = try TemporaryFolder(inMemory: true)
                let hasStruck = try await Self.$now.withValue("\(strike)") {
                    try await Self.run(strike, try await make(folder), in: folder)
                }
                // What holds a descriptor may be on its way out on another thread.
                #expect(try await Self.eventually { try openDescriptors(below: folder.path) == 0 }, "\(strike)")
                guard hasStruck else { break }
            }
        }
    }

    /// Answers whether there was a call to strike.
    private static func run(
        _ strike: FaultPlan.Strike,
        _ scene: some FaultScene,
        in folder: TemporaryFolder
    ) async throws -> Bool {
        let (plan, result) = await FaultPlan.run(below: folder.path, strike) { await Self.result(of: scene) }
        #expect(plan.flushedAgain == 0, "\(strike)")
        switch result {
        case .success: break
        case .failure(let error):
            #expect(plan.hasStruck, "\(strike): \(error)")
            #expect(Self.isTelling(error, strike), "\(strike): \(error)")
        }
        do {
            try await scene.check(result, plan)
        } catch {
            Issue.record(error, "\(strike)")
        }
        return plan.hasStruck
    }

    private static func result<Scene: FaultScene>(of scene: Scene) async -> Result<Scene.Outcome, any Error> {
        do {
            return .success(try await scene.run())
        } catch {
            return .failure(error)
        }
    }

    /// Whether the error tells what has failed, and not that this program is wrong.
    private static func isTelling(_ error: any Error, _ strike: FaultPlan.Strike) -> Bool {
        switch error {
        case let error as FxferError: error.code != .internal
        case let error as Errno: .failure(error) == strike.fault
        default: false
        }
    }

    /// What can happen to a call, and how many calls in a row it happens to.
    private static func faults(of call: SystemCall) -> [(SystemFaults.Fault, Int)] {
        let broken = SystemFaults.Fault.failure(Errno(call == .flock ? ENOLCK : EIO))
        // A call that is repeated until nobody interrupts it must not be interrupted for ever.
        let always = [(broken, 1), (broken, .max), (.failure(Errno(EINTR)), 1)]
        let full = [(SystemFaults.Fault.failure(Errno(ENOSPC)), 1), (.failure(Errno(ENOSPC)), .max)]
        let quota = [(SystemFaults.Fault.failure(Errno(EDQUOT)), 1)]
        return switch call {
        case .stat, .fstat, .fstatat, .fstatfs, .fstatvfs, .faccessat, .readdir, .flock: always
        case .duplicate: always + [(.failure(Errno(EMFILE)), .max)]
        case .pread: always + [(.short(1), 1), (.short(4000), .max)]
        case .pwrite: always + full + quota + [(.short(1), 1), (.short(4000), .max)]
        case .open: always + full + quota + [(.failure(Errno(EMFILE)), .max)]
        default: always + full + quota
        }
    }

    private static func eventually(_ condition: () throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while try !condition() {
            guard ContinuousClock.now < deadline else { return false }
            await Task.yield()
        }
        return true
    }
}
