// swift-tools-version: 6.2
import PackageDescription

/// The rules that every target of this package is compiled under.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// The targets are the layers: an arrow that is not written here cannot be written in the code.
let package = Package(
  name: "berth",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CStart"),
    .target(name: "CSystemd"),
    .target(name: "CZstd"),
    .systemLibrary(name: "CExpat", providers: [.apt(["libexpat1-dev"])]),

    .target(name: "Bytes", swiftSettings: strict),
    .target(name: "HostModel", dependencies: ["Bytes"], swiftSettings: strict),
    .target(name: "Tunings", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .target(name: "Advice", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .target(name: "Ledger", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .target(name: "Findings", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .target(
      name: "SystemCalls", dependencies: ["Bytes", "HostModel", "CLinux"], swiftSettings: strict),
    .target(
      name: "Formats", dependencies: ["Bytes", "HostModel", "CExpat", "CZstd"],
      swiftSettings: strict),
    .target(name: "Port", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .target(
      name: "Live",
      dependencies: ["Bytes", "HostModel", "Formats", "Port", "SystemCalls", "CLinux", "CSystemd"],
      swiftSettings: strict),
    .target(
      name: "Recorded",
      dependencies: ["Bytes", "HostModel", "Formats", "Port", "SystemCalls", "CLinux"],
      swiftSettings: strict),
    .target(
      name: "Facts", dependencies: ["Bytes", "HostModel", "Formats", "Port"], swiftSettings: strict),
    .target(
      name: "Places", dependencies: ["Bytes", "HostModel", "Ledger", "Port", "Facts"],
      swiftSettings: strict),
    .target(
      name: "Capture", dependencies: ["Bytes", "HostModel", "Formats", "Port", "Facts", "Ledger"],
      swiftSettings: strict),
    .target(
      name: "State", dependencies: ["Bytes", "HostModel", "Ledger", "Port", "SystemCalls"],
      swiftSettings: strict),
    .target(
      name: "Lifecycle",
      dependencies: ["Bytes", "HostModel", "Tunings", "Ledger", "Port", "Facts", "Places"],
      swiftSettings: strict),
    .executableTarget(
      name: "berth",
      dependencies: [
        "Bytes", "HostModel", "Tunings", "Advice", "Findings", "Ledger", "Formats",
        "Port",
        "Live", "Recorded", "Facts", "Places", "Capture", "State", "Lifecycle", "CStart",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // What Tests/Fuzz/run tries with texts without end, and the tests with the seeds of these.
    .target(
      name: "FuzzTargets", dependencies: ["Bytes", "Formats", "Ledger", "HostModel"],
      path: "Tests/Fuzz/Targets", swiftSettings: strict),

    // What the tests of several rooms play on: the recorded workstation, files, folders.
    .target(
      name: "Support", dependencies: ["Bytes", "HostModel", "Formats", "Live", "Recorded"],
      path: "Tests/Support", swiftSettings: strict),

    .testTarget(name: "BytesTests", dependencies: ["Bytes"], swiftSettings: strict),
    .testTarget(
      name: "HostModelTests", dependencies: ["Bytes", "HostModel", "Live", "Support"],
      swiftSettings: strict),
    .testTarget(
      name: "TuningsTests", dependencies: ["Tunings", "HostModel"], swiftSettings: strict),
    .testTarget(
      name: "AdviceTests",
      dependencies: ["Advice", "Facts", "Recorded", "Formats", "HostModel"],
      swiftSettings: strict),
    .testTarget(name: "LedgerTests", dependencies: ["Ledger", "HostModel"], swiftSettings: strict),
    .testTarget(
      name: "FindingsTests", dependencies: ["Findings", "HostModel"], swiftSettings: strict),
    .testTarget(
      name: "FormatsTests",
      dependencies: [
        "Bytes", "Formats", "HostModel", "Recorded", "FuzzTargets", "Support",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LiveTests",
      dependencies: [
        "Bytes", "Live", "Port", "Formats", "SystemCalls", "HostModel", "CLinux",
        "Support",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "RecordedTests",
      dependencies: [
        "Bytes", "Recorded", "Live", "Port", "Formats", "SystemCalls", "HostModel", "Support",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FactsTests",
      dependencies: [
        "Bytes", "Facts", "Port", "Formats", "Live", "Recorded", "HostModel", "Support",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PlacesTests",
      dependencies: [
        "Bytes", "Places", "Recorded", "Ledger", "HostModel", "Support",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CaptureTests",
      dependencies: [
        "Bytes", "Capture", "Facts", "Recorded", "Formats", "HostModel", "Support",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "StateTests",
      dependencies: [
        "Bytes", "Port", "State", "Live", "Ledger", "HostModel", "Support",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LifecycleTests",
      dependencies: [
        "Bytes", "Lifecycle", "Port", "Facts", "Formats", "Recorded", "Ledger",
        "Tunings",
        "HostModel", "Support",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MeanTests",
      dependencies: [
        "Bytes", "HostModel", "Tunings", "Ledger", "Formats", "Port", "Recorded", "Lifecycle",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "BerthTests",
      dependencies: [
        "berth", "Advice", "Findings", "Formats", "Port", "Recorded", "HostModel", "Bytes",
        "Support",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
  ]
)

// libFuzzer brings the program's `main`: without `-sanitize=fuzzer` there is nothing to link.
if Context.environment["BERTH_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict)
  )
}
