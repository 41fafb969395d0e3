import FxferProtocol
import NIOCore
import Synchronization
import Testing

@testable import FxferS3

@Suite("The memory of transfers")
struct TransferMemoryTests {
    private final class Holder: Sendable {
        let share: Mutex<TransferMemory.Share?>

        init(_ share: TransferMemory.Share) {
            self.share = Mutex(share)
        }

        func letGo() {
            let share = self.share.withLock { $0.take() }
            withExtendedLifetime(share) {}
        }
    }

    @Test("whoever waits has it when it is given back, who has none yet first")
    func order() async throws {
        let memory = TransferMemory(capacity: 10)
        let holder = Holder(try await memory.take(10, isFurther: false))
        #expect(memory.takeAtOnce(1) == nil)
        let (names, order) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let share = try await memory.take(10, isFurther: true)
                order.yield("further")
                withExtendedLifetime(share) {}
            }
            while memory.waiting < 1 { await Task.yield() }
            group.addTask {
                let share = try await memory.take(10, isFurther: false)
                order.yield("first")
                withExtendedLifetime(share) {}
            }
            while memory.waiting < 2 { await Task.yield() }
            holder.letGo()
            try await group.waitForAll()
        }
        order.finish()
        #expect(await names.reduce(into: []) { $0.append($1) } == ["first", "further"])
    }

    @Test("who does not fill what others wait for gives it back; who has filled it does not")
    func slow() async throws {
        let memory = TransferMemory(capacity: 10, patience: .seconds(16), timeToFill: .zero)
        let (slow, full) = (
            Holder(try await memory.take(4, isFurther: false)), Holder(try await memory.take(6, isFurther: false))
        )
        full.share.withLock { share in
            share?.beginFilling { Issue.record("it is full") }
            share?.endFilling()
        }
        slow.share.withLock { $0?.beginFilling { slow.letGo() } }
        let share = try await memory.take(4, isFurther: false)
        #expect(share.bytes == 4)
        #expect(slow.share.withLock { $0 == nil })
    }

    @Test("who does not wait has what another one has not filled in time, and nothing where nobody is slow")
    func atOnce() async throws {
        for (time, isSlow) in [(Duration.zero, true), (.seconds(3600), false)] {
            let memory = TransferMemory(capacity: 10, timeToFill: time)
            let slow = Holder(try await memory.take(10, isFurther: false))
            slow.share.withLock { $0?.beginFilling { slow.letGo() } }
            #expect(memory.takeAtOnce(4) == nil)
            #expect(memory.takeFromSlowest(4)?.bytes == (isSlow ? 4 : nil))
            #expect(slow.share.withLock { $0 == nil } == isSlow)
        }
    }

    @Test("nobody waits for longer than his patience, and nobody is made to give back what he has had for a short time")
    func patience() async throws {
        let memory = TransferMemory(capacity: 10, patience: .milliseconds(50), timeToFill: .seconds(3600))
        let share = try await memory.take(10, isFurther: false)
        share.beginFilling { Issue.record("it has had it for a short time") }
        await #expect(throws: FxferError.self) { _ = try await memory.take(1, isFurther: false) }
        withExtendedLifetime(share) {}
    }
}
