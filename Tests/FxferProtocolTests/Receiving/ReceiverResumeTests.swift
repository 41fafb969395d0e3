import FxferProtocol
import Testing

@Suite("Resuming, as the receiver does it")
struct ReceiverResumeTests {
    /// A receiver that holds the first `held` bytes of file 1.
    private static func resumed(at held: UInt64, size: UInt64? = 30) throws -> ReceiverScript {
        var script = ReceiverScript()
        _ = try script.offer(1, size: size)
        #expect(script.staged(1, .standIn(held)) == .accept(1, .standIn(held)))
        return script
    }

    @Test("a sender that has the prefix goes on behind it", arguments: [1, 10, 20] as [UInt64])
    func goesOn(held: UInt64) throws {
        var script = try Self.resumed(at: held)
        for offset in stride(from: held, to: 30, by: 10) {
            let length = UInt32(min(10, 30 - offset))
            #expect(try script.chunk(1, at: offset, length: length) == .confirm(1, offset + UInt64(length)))
        }
        #expect(try script.finish(1, .standIn(30)) == .commit(.standIn(30)))
    }

    @Test("a sender that has all of it needs no chunk")
    func complete() throws {
        var script = try Self.resumed(at: 30)
        #expect(try script.finish(1, .standIn(30)) == .commit(.standIn(30)))
    }

    @Test(
        "a sender that has another beginning starts again, and the prefix is forgotten",
        arguments: [10, 30, 35] as [UInt64]
    )
    func restarts(held: UInt64) throws {
        var script = try Self.resumed(at: held, size: held == 35 ? nil : 30)
        #expect(try script.announce(1, at: 0) == .restart(1))
        #expect(script.payload() == .append(1))
        #expect(script.payloadEnd() == .verify(1))
        #expect(script.compare(.standIn(at: 10), claimed: .standIn(at: 10)) == .confirm(1, 10))
        #expect(try script.finish(1, .standIn(30)) == .refuse(1, .damaged))
        #expect(script.commits.isEmpty)
    }

    @Test(
        "after the first chunk there is no way back",
        arguments: [(first: 20, second: 0), (20, 10), (20, 20), (0, 0), (0, 20)] as [(first: UInt64, second: UInt64)]
    )
    func noWayBack(first: UInt64, second: UInt64) throws {
        var script = try Self.resumed(at: 20)
        #expect(try script.chunk(1, at: first) == .confirm(1, first + 10))
        let error = #expect(throws: FxferError.self) { try script.chunk(1, at: second) }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test("a damaged chunk behind the prefix, or at a new start, is asked for again", arguments: [0, 10] as [UInt64])
    func damaged(first: UInt64) throws {
        var script = try Self.resumed(at: 10)
        #expect(try script.chunk(1, at: first, isDamaged: true) == .rewind(1, to: first))
        #expect(try script.chunk(1, at: first + 10) == .discard)
        #expect(try script.chunk(1, at: first) == .confirm(1, first + 10))
    }

    @Test("a chunk at neither place breaks the protocol", arguments: [1, 9, 11, 20] as [UInt64])
    func elsewhere(offset: UInt64) throws {
        var script = try Self.resumed(at: 10)
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: offset) }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test("where nothing is held, a second chunk at 0 is no restart")
    func nothingHeld() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: 0) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("a file that exists with other content is replaced where the store takes that, and refused where not")
    func existing() throws {
        var script = ReceiverScript()
        _ = try script.offer(1)
        #expect(script.existing(1, .standIn(30), canRestart: true) == .accept(1, .standIn(30)))
        #expect(try script.announce(1, at: 0) == .restart(1))

        script = try ReceiverScript(fileIn: .matching)
        #expect(try script.announce(1, at: 0) == .refuse(1, .exists))
        #expect(script.payload() == .discard)
        #expect(script.payloadEnd() == .discard)
        #expect(try script.finish(1, .standIn(30)) == .discard)
        #expect(try script.cancel(1) == .forget)
        #expect(script.commits.isEmpty)
    }

    @Test("a file that starts again keeps its size")
    func sizeIsKept() throws {
        var script = ReceiverScript()
        _ = try script.offer(1, size: 5)
        _ = script.staged(1, .standIn(3))
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: 0, length: 6) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("SAME closes the file, and its place is free")
    func same() throws {
        var script = ReceiverScript(filesInFlight: 1)
        _ = try script.offer(1)
        #expect(script.same(1) == .send(.same(Same(file: 1))))
        #expect(script.receiver.isIdle)
        let error = #expect(throws: FxferError.self) { try script.finish(1, .standIn(30)) }
        #expect(error?.code == .protocolViolation)
        #expect(try script.offer(2) == .stage)
    }

    @Test("a new folder is told by the length of its path")
    func newFolder() throws {
        var script = ReceiverScript()
        _ = try script.offer(1, "new/deep/a")
        let frame = script.receiver.staged(1, newFolder: try RelativePath(bytes: Array("new".utf8)))
        #expect(frame == .accept(Accept(file: 1, prefix: .empty, newFolderLength: 3)))
    }
}
