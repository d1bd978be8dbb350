import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * What an MSK broker does with a token: it is a presigned URL of `kafka-cluster:Connect`. The emulator is asked whether the
 * signature is one of its principals.
 */
public class IamTokens implements AuthenticateCallbackHandler {
  private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'");
  /** SHA-256 of an empty body, which the token is signed with. */
  private static final String OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

  @Override
  public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {}

  @Override
  public void close() {}

  @Override
  public void handle(Callback[] callbacks) {
    for (Callback callback : callbacks)
      if (callback instanceof OAuthBearerValidatorCallback) validate((OAuthBearerValidatorCallback) callback);
  }

  private void validate(OAuthBearerValidatorCallback callback) {
    try {
      callback.token(read(callback.tokenValue()));
    } catch (Exception e) {
      System.err.println("refused a token: " + e.getMessage());
      callback.error("invalid_token", null, null);
    }
  }

  private OAuthBearerToken read(String value) throws Exception {
    URI url = URI.create(new String(Base64.getUrlDecoder().decode(value), StandardCharsets.UTF_8));
    Map<String, String> query =
        Arrays.stream(url.getRawQuery().split("&"))
            .map(part -> part.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> URLDecoder.decode(pair[1], StandardCharsets.UTF_8)));
    if (!"kafka-cluster:Connect".equals(query.get("Action"))) throw new Exception("another action");
    if (!url.getHost().matches("kafka\\.[a-z0-9-]+\\.amazonaws\\.com")) throw new Exception("another host");
    long start = LocalDateTime.parse(query.get("X-Amz-Date"), DATE).toInstant(ZoneOffset.UTC).toEpochMilli();
    long end = start + Long.parseLong(query.get("X-Amz-Expires")) * 1000;
    if (end < System.currentTimeMillis()) throw new Exception("expired");
    checkSignature(url);
    String principal = query.get("X-Amz-Credential").split("/")[0];
    return new OAuthBearerToken() {
      public String value() { return value; }
      public Set<String> scope() { return Set.of(); }
      public long lifetimeMs() { return end; }
      public String principalName() { return principal; }
      public Long startTimeMs() { return start; }
    };
  }

  /** The client's name is put into the URL after it was signed. */
  private void checkSignature(URI url) throws Exception {
    String signed =
        Arrays.stream(url.getRawQuery().split("&"))
            .filter(part -> !part.startsWith("User-Agent="))
            .collect(Collectors.joining("&"));
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + url.getHost() + "/?" + signed))
            .header("x-amz-content-sha256", OF_NOTHING)
            .timeout(Duration.ofSeconds(10))
            .build();
    String answer = client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    if (answer.matches("(?s).*(SignatureDoesNotMatch|InvalidClientTokenId|UnrecognizedClient|ExpiredToken|InvalidAccessKeyId|IncompleteSignature).*"))
      throw new Exception(answer.replaceAll("\\s+", " "));
  }
}
