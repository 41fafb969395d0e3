import ArgumentParser
import Fxfer
import FxferProtocol

/// What is asked about content before it is sent, and demanded before it is published.
struct ContentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How a file that the server has is compared: by SHA-256, or by size and time only.",
            discussion: "By digest for folders, where nothing is said.",
            valueName: "digest|quick"
        )
    )
    var compare: UploadOptions.Comparison?

    @Option(help: ArgumentHelp("Store the one file only if it has this size.", valueName: "bytes"))
    var expectSize: SizeArgument?

    @Option(
        name: .customLong("expect-sha256"),
        help: ArgumentHelp("Store the one file only if it has this SHA-256.", valueName: "hex")
    )
    var expectDigest: DigestArgument?

    /// What is demanded; nil for nothing.
    var expected: ExpectedContent? {
        guard self.expectSize != nil || self.expectDigest != nil else { return nil }
        return ExpectedContent(size: self.expectSize?.bytes, digest: self.expectDigest?.digest)
    }
}

extension UploadOptions.Comparison: ExpressibleByArgument {}
