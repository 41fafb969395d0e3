import FxferProtocol
import Testing

@Suite("Receiving a file")
struct ReceiverFileTests {
    @Test("a file goes from OFFER to RECEIPT")
    func wholeFile() throws {
        var script = ReceiverScript()
        #expect(script.receiver.isIdle)
        #expect(try script.offer(1, "d/a", size: 15) == .stage)
        #expect(!script.receiver.isIdle)
        #expect(script.staged(1) == .accept(1))
        #expect(try script.announce(1, at: 0) == .proceed)
        #expect(script.payload() == .append(1))
        #expect(script.payload() == .append(1))
        #expect(script.payloadEnd() == .verify(1))
        #expect(script.compare(.standIn(at: 10), claimed: .standIn(at: 10)) == .confirm(1, 10))
        #expect(try script.chunk(1, at: 10, length: 5) == .confirm(1, 15))
        #expect(try script.finish(1, .standIn(15)) == .commit(.standIn(15)))
        let receipt = Receipt(file: 1, outcome: .stored, content: .standIn(15), path: Array("d/a".utf8))
        #expect(script.committed(1) == .send(.receipt(receipt)))
        #expect(script.receiver.isIdle)
    }

    @Test("an empty file has no chunk", arguments: [0, nil] as [UInt64?])
    func emptyFile(size: UInt64?) throws {
        var script = ReceiverScript()
        _ = try script.offer(1, size: size)
        #expect(script.staged(1) == .accept(1))
        #expect(try script.finish(1, .empty) == .commit(.empty))
    }

    @Test("a file whose size is unknown ends where its sender says", arguments: [1, 2, 3] as [UInt64])
    func unknownSize(chunks: UInt64) throws {
        var script = ReceiverScript()
        _ = try script.offer(1, size: nil)
        _ = script.staged(1)
        for index in 0..<chunks {
            #expect(try script.chunk(1, at: index * 10) == .confirm(1, index * 10 + 10))
        }
        #expect(try script.finish(1, .standIn(chunks * 10)) == .commit(.standIn(chunks * 10)))
    }

    @Test("the only chunk of a small file is asked for again where it is damaged")
    func damagedSmallFile() throws {
        var script = ReceiverScript()
        _ = try script.offer(1, size: 1)
        _ = script.staged(1)
        #expect(try script.chunk(1, at: 0, length: 1, isDamaged: true) == .rewind(1, to: 0))
        #expect(script.commits.isEmpty)
    }

    @Test("chunks may be shorter than agreed")
    func shortChunks() throws {
        var script = try ReceiverScript(fileIn: .receiving)
        #expect(try script.chunk(1, at: 10, length: 1) == .confirm(1, 11))
        #expect(try script.chunk(1, at: 11, length: 9) == .confirm(1, 20))
    }

    @Test("more bytes than announced break the protocol before they are written", arguments: [6, 10] as [UInt32])
    func moreBytes(length: UInt32) throws {
        var script = ReceiverScript()
        _ = try script.offer(1, size: 15)
        _ = script.staged(1)
        _ = try script.chunk(1, at: 0)
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: 10, length: length) }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test("a byte for a file that was announced empty breaks the protocol")
    func bytesForEmptyFile() throws {
        var script = ReceiverScript()
        _ = try script.offer(1, size: 0)
        _ = script.staged(1)
        let error = #expect(throws: FxferError.self) { try script.announce(1, at: 0, length: 1) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("fewer bytes than announced are refused", arguments: [0, 1, 2] as [UInt64])
    func fewerBytes(chunks: UInt64) throws {
        var script = ReceiverScript()
        _ = try script.offer(1)
        _ = script.staged(1)
        for index in 0..<chunks {
            _ = try script.chunk(1, at: index * 10)
        }
        #expect(try script.finish(1, .standIn(chunks * 10)) == .refuse(1, .damaged))
        #expect(script.commits.isEmpty)
    }

    static let wrongEnds: [FilePrefix] = [
        .empty,
        FilePrefix(length: 30, digest: .standIn(at: 20)),
        FilePrefix(length: 20, digest: .standIn(at: 30)),
        FilePrefix(length: .max, digest: .standIn(at: 30)),
    ]

    @Test("FINISH that states something else than was verified is refused", arguments: Self.wrongEnds, [30, nil])
    func wrongFinish(content: FilePrefix, size: UInt64?) throws {
        var script = ReceiverScript()
        _ = try script.offer(1, size: size)
        _ = script.staged(1)
        for offset in [0, 10, 20] as [UInt64] {
            _ = try script.chunk(1, at: offset)
        }
        #expect(try script.finish(1, content) == .refuse(1, .damaged))
        #expect(script.commits.isEmpty)
    }

    @Test("files that are open at once do not disturb each other")
    func interleaved() throws {
        var script = ReceiverScript()
        _ = try script.offer(1, "a")
        _ = script.staged(1)
        _ = try script.offer(2, "b")
        _ = script.staged(2)
        #expect(try script.chunk(1, at: 0) == .confirm(1, 10))
        #expect(try script.chunk(2, at: 0, isDamaged: true) == .rewind(2, to: 0))
        #expect(try script.chunk(1, at: 10) == .confirm(1, 20))
        #expect(try script.chunk(2, at: 10) == .discard)
        #expect(try script.chunk(1, at: 20) == .confirm(1, 30))
        #expect(try script.finish(1, .standIn(30)) == .commit(.standIn(30)))
        #expect(try script.chunk(2, at: 0) == .confirm(2, 10))
        #expect(script.committed(1) != .discard)
        #expect(!script.receiver.isIdle)
    }
}
