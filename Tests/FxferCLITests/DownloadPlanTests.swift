import Foundation
import Fxfer
import FxferProtocol
import Testing

@testable import FxferCLI

@Suite("which file gets which name here")
struct DownloadPlanTests {
    /// A folder of one test's own, with a folder `d` and a file `f`.
    private final class Place {
        let url = FileManager.default.temporaryDirectory.appending(path: "fxfer-plan-\(UUID())")

        init() throws {
            try FileManager.default.createDirectory(at: self("d"), withIntermediateDirectories: true)
            try Data([1]).write(to: self("f"))
        }

        deinit { try? FileManager.default.removeItem(at: self.url) }

        func callAsFunction(_ name: String) -> URL { self.url.appending(path: name) }
    }

    private static func plan(_ sources: [String], output: String?) async throws -> DownloadPlan {
        let sources = try sources.map { try RemotePath(RawArgument(text: $0)) }
        return try await DownloadPlan(sources, output: output.map { Array($0.utf8) })
    }

    /// The folder that is written to, nil for standard output, and the names in it.
    private static func names(_ plan: DownloadPlan) -> (folder: String?, names: [String]) {
        var folder: String?
        if case .folder(let path) = plan.target { folder = String(decoding: path, as: UTF8.self) }
        return (folder, plan.downloads.map { "\($0.source) > \($0.destination)" })
    }

    @Test("without an output the names go into the current folder")
    func current() async throws {
        let plan = try await Self.plan(["host:4000/a/b", "host:4000/c"], output: nil)
        #expect(plan.endpoint == Endpoint(host: "host", port: 4000))
        #expect(Self.names(plan) == (".", ["a/b > b", "c > c"]))
    }

    @Test("a folder that exists is written into", arguments: ["d", "d/"])
    func folder(name: String) async throws {
        let place = try Place()
        let output = place.url.path + "/" + name
        let plan = try await Self.plan(["host/a/b", "host/c"], output: output)
        #expect(Self.names(plan) == (output, ["a/b > b", "c > c"]))
    }

    @Test("another name is that of the one file, also where a file has it", arguments: ["new", "f", "d/new"])
    func file(name: String) async throws {
        let place = try Place()
        let output = place(name).path
        let folder = place(name).deletingLastPathComponent().path + "/"
        let last = place(name).lastPathComponent
        let (target, names) = Self.names(try await Self.plan(["host/a/b"], output: output))
        #expect(target?.trimmingSuffix == folder.trimmingSuffix)
        #expect(names == ["a/b > \(last)"])
    }

    @Test("'-' is standard output, for any number of files, the same one twice, too")
    func standardOutput() async throws {
        let plan = try await Self.plan(["host/a/b", "host/c", "host/c"], output: "-")
        #expect(plan.target.isStandardOutput)
        #expect(plan.downloads.map(\.source.description) == ["a/b", "c", "c"])
    }

    @Test(
        "sources that cannot be got together are a usage error",
        arguments: [
            [], ["host"], ["host/"], ["host/a", "host"], ["host/a", "other/b"], ["host/a", "host:4000/b"],
            ["host/a/f", "host/b/f"], ["host/a", "host/a"],
        ]
    )
    func usage(sources: [String]) async {
        let error = await #expect(throws: FxferError.self) { try await Self.plan(sources, output: nil) }
        #expect(error?.code == .usage)
    }

    @Test(
        "an output that cannot be what it is to be is told, and nothing is made",
        arguments: [
            (["host/a", "host/b"], "new", .usage), (["host/a", "host/b"], "f", .usage),
            (["host/a"], "new/", .cannotCreate),
            (["host/a"], "none/new", .cannotCreate), (["host/a"], "f/new", .cannotCreate), (["host/a"], "", .usage),
            (["host/a"], "f/..", .usage),
        ] as [([String], String, FxferError.Code)]
    )
    func badOutput(sources: [String], name: String, code: FxferError.Code) async throws {
        let place = try Place()
        let output = name.isEmpty ? "" : place.url.path + "/" + name
        let error = await #expect(throws: FxferError.self) { try await Self.plan(sources, output: output) }
        #expect(error?.code == code)
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.url.path).sorted() == ["d", "f"])
    }
}

extension String {
    /// Without slashes at its end.
    fileprivate var trimmingSuffix: String {
        String(self.reversed().drop { $0 == "/" }.reversed())
    }
}
