import FxferProtocol
import Testing

@Suite("Files that a client asks for")
struct FileRequestTests {
    private static func offer(_ file: FileID, _ path: String, isFolder: Bool = false) -> Offer {
        let attributes = FileAttributes(size: 3, isFolder: isFolder)
        return Offer(file: file, path: Array(path.utf8), attributes: attributes)
    }

    /// Files 1 and 2, "d/a" and "b".
    private static func asked() throws -> FileRequests {
        var requests = FileRequests()
        for (file, name) in [(1, "d/a"), (2, "b")] as [(FileID, String)] {
            let get = requests.get(try RelativePath(bytes: Array(name.utf8)))
            #expect(get == Get(file: file, path: Array(name.utf8)))
        }
        return requests
    }

    @Test("an offer under number and path of the request is let through, once")
    func answered() throws {
        var requests = try Self.asked()
        try requests.receive(Self.offer(2, "b"))
        #expect(requests.count == 1)
        try requests.receive(Self.offer(1, "d/a"))
        #expect(requests.count == 0)
        let error = #expect(throws: FxferError.self) { try requests.receive(Self.offer(1, "d/a")) }
        #expect(error?.code == .protocolViolation)
    }

    @Test(
        "anything else that is offered breaks the protocol",
        arguments: [
            (1, "b", false), (2, "d/a", false), (1, "d/b", false), (1, "a", false), (1, "d/a/", false),
            (1, "../d/a", false), (1, "", false), (0, "d/a", false), (3, "d/a", false), (.max, "c", false),
            (1, "d/a", true),
        ] as [(FileID, String, Bool)]
    )
    func unasked(file: FileID, path: String, isFolder: Bool) throws {
        var requests = try Self.asked()
        let error = #expect(throws: FxferError.self) {
            try requests.receive(Self.offer(file, path, isFolder: isFolder))
        }
        #expect(error?.code == .protocolViolation)
    }

    @Test("CANCEL answers a request that was not offered, and no other")
    func cancelled() throws {
        var requests = try Self.asked()
        let cancel = { (file: FileID) in FileFailure(file: file, code: WireCode(.isFolder), message: "a folder") }
        #expect(requests.receive(cancel: cancel(1)) == true)
        #expect(requests.receive(cancel: cancel(1)) == false)
        #expect(requests.receive(cancel: cancel(3)) == false)
        try requests.receive(Self.offer(2, "b"))
        #expect(requests.receive(cancel: cancel(2)) == false)
        #expect(throws: FxferError.self) { try requests.receive(Self.offer(1, "d/a")) }
    }

    @Test("numbers are not used twice")
    func numbers() throws {
        var requests = try Self.asked()
        #expect(requests.receive(cancel: FileFailure(file: 2, code: WireCode(.noInput), message: "")) == true)
        let third = requests.get(try RelativePath(bytes: Array("c".utf8)))
        #expect(third.file == 3)
        #expect(requests.canAsk)
    }
}
