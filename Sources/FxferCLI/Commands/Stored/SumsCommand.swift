import ArgumentParser
import Fxfer
import FxferProtocol
import FxferS3

/// `fxfer sums DIR`, or `--store s3://BUCKET`
struct SumsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sums",
        abstract: "Print the ledger of a server's directory or bucket as sha256sum does.",
        discussion: """
            One line a file, as it was stored last: SHA-256, two spaces, name. Nothing but the ledger is read; see \
            fxfer verify.

              fxfer sums ./out | (cd out && sha256sum -c --quiet)
              fxfer sums --store s3://bucket/prefix
            """
    )

    @Argument(help: ArgumentHelp("The directory of a server.", valueName: "dir"), completion: .directory)
    var dir: String?

    @OptionGroup(title: "Object store")
    var objects: ObjectStoreOptions

    func validate() throws {
        try self.objects.validate(directory: self.dir)
    }

    private func sums() async throws -> (
        place: String, sums: [(path: RelativePath, digest: Digest)], damages: [String]
    ) {
        if let place = try self.objects.place() {
            let (sums, damages) = try await place.withBucket { try await $0.sums() }
            return ("\(place.bucket)", sums, damages)
        }
        let directory = RawArgument(text: self.dir ?? "").bytes
        let (sums, damages) = try await StoredFiles(in: directory).sums()
        return (EscapedText.escape(directory), sums, damages)
    }

    func run() async throws {
        do {
            let (place, sums, damages) = try await self.sums()
            let output = StandardStream.output
            for (path, digest) in sums {
                let line = ChecksumLine.bytes(digest, path.bytes, forTerminal: output.isTerminal)
                guard output.write(bytes: line) else {
                    throw FxferError(.io, "standard output could not be written")
                }
            }
            guard damages.isEmpty else {
                throw FxferError(
                    .damaged,
                    "the ledger of '\(place)' is damaged: \(damages.joined(separator: "; "))"
                )
            }
        } catch {
            ExitStatus.exit(error)
        }
    }
}
