# The app for whoever hosts it. Everything it needs is in wheels; no system package.
#   docker build -t omnitrace-explorer .
#   docker run --rm -p 7860:7860 -v omnitrace:/data omnitrace-explorer --allow-host my.domain
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 explorer && mkdir /data && chown explorer /data
WORKDIR /app
COPY requirements.txt .
# Without a GPU, an index of PyTorch's CPU wheels saves gigabytes: --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL
RUN pip install --no-cache-dir -r requirements.txt
COPY app.py LICENSE ./
COPY assets assets
COPY core core
COPY omnitrace_ui omnitrace_ui

USER explorer
ENV GRADIO_ANALYTICS_ENABLED=False \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    HF_HOME=/data/models \
    HF_HUB_DISABLE_TELEMETRY=1 \
    OMNITRACE_STORAGE=/data \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --start-period=60s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/theme.css', timeout=5)"
ENTRYPOINT ["python", "app.py"]
