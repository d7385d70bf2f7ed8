//! Media types by the names that people know them by (`reference/flux.md` §1.10). It judges nothing.

/// What things of this type are called; None: nothing that we know.
pub fn name(media_type: &str) -> Option<&'static str> {
    // parameters, as in `…; charset=utf-8`, change nothing
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    let exact = KNOWN.iter().find(|(known, _)| *known == bare).map(|(_, name)| *name);
    exact.or_else(|| {
        bare.starts_with("application/vnd.cncf.flux.content.v1").then_some("Flux content, one file")
    })
}

const KNOWN: &[(&str, &str)] = &[
    ("application/vnd.oci.image.manifest.v1+json", "OCI manifest"),
    ("application/vnd.oci.image.index.v1+json", "OCI index"),
    ("application/vnd.docker.distribution.manifest.v2+json", "Docker manifest"),
    ("application/vnd.docker.distribution.manifest.list.v2+json", "Docker manifest list"),
    ("application/vnd.cncf.flux.config.v1+json", "Flux config"),
    ("application/vnd.cncf.flux.content.v1.tar+gzip", "Flux content"),
    ("application/vnd.cncf.helm.config.v1+json", "Helm config: Chart.yaml as JSON"),
    (crate::domain::source::HELM_CHART_LAYER, "Helm chart"),
    ("application/tar+gzip", "Helm chart, old type"),
    ("application/vnd.cncf.helm.chart.provenance.v1.prov", "Helm provenance"),
    ("application/vnd.oci.image.config.v1+json", "image config"),
    ("application/vnd.oci.empty.v1+json", "empty config"),
    ("application/vnd.docker.container.image.v1+json", "Docker image config"),
    ("application/vnd.oci.image.layer.v1.tar", "image layer"),
    ("application/vnd.oci.image.layer.v1.tar+gzip", "image layer"),
    ("application/vnd.oci.image.layer.v1.tar+zstd", "image layer, zstd"),
    ("application/vnd.docker.image.rootfs.diff.tar.gzip", "Docker image layer"),
    ("application/vnd.dev.cosign.artifact.sig.v1+json", "cosign signature"),
    ("application/vnd.dev.cosign.simplesigning.v1+json", "cosign signature"),
    ("application/vnd.dev.sigstore.bundle.v0.3+json", "Sigstore bundle"),
    ("application/vnd.cncf.notary.signature", "Notation signature"),
    ("application/vnd.in-toto+json", "in-toto attestation"),
    ("application/spdx+json", "SPDX SBOM"),
    ("application/vnd.cyclonedx+json", "CycloneDX SBOM"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_by_its_name_with_parameters_or_without() {
        assert_eq!(name("application/vnd.cncf.flux.content.v1.tar+gzip"), Some("Flux content"));
        assert_eq!(name("application/spdx+json; version=2.3"), Some("SPDX SBOM"));
        assert_eq!(name("application/vnd.cncf.flux.content.v1.json"), Some("Flux content, one file"));
        assert_eq!(name("text/plain"), None);
    }
}
