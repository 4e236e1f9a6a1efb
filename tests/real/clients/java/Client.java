import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;

/**
 * Asks the API server for its namespaces with fabric8's client, set up once, so many times, one second apart. Says of each request what came:
 * the HTTP status, or what went wrong.
 */
public final class Client {
    public static void main(String[] arguments) throws InterruptedException {
        try (KubernetesClient client = new KubernetesClientBuilder().build()) {
            for (int left = Integer.parseInt(arguments[0]) - 1; left >= 0; left--) {
                System.out.println(ask(client));
                if (left > 0) {
                    Thread.sleep(1000);
                }
            }
        }
    }

    private static String ask(KubernetesClient client) {
        try {
            client.namespaces().list();
            return "200";
        } catch (KubernetesClientException error) {
            return error.getCode() > 0 ? String.valueOf(error.getCode()) : error.toString().replace('\n', ' ') + " " + error.getCause();
        }
    }
}
